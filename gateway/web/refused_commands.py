"""The audit of phone commands that were refused on their way to the phone."""

from gateway.caller import Caller
from gateway.message import uuid7
from gateway.phone import CommandEntry, CommandOutcome, CommandState, Problem, Verb
from gateway.ports import Clock, CommandLog

_MAX_ARGUMENT = 200


class RefusedCommands:
    """Writes down what the phone never heard of, and so cannot write down itself."""

    def __init__(self, *, audit: CommandLog, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock

    async def not_allowed(self, caller: Caller, verb: Verb, reason: str) -> None:
        """The token may not, or not so often; the argument was not read."""
        await self._record(
            caller, verb, "", reason, CommandOutcome.REFUSED, Problem.NOT_ALLOWED
        )

    async def not_understood(
        self, caller: Caller, verb: Verb, argument: str, reason: str
    ) -> None:
        await self._record(
            caller, verb, argument, reason, CommandOutcome.FAILED, Problem.INVALID
        )

    async def _record(
        self,
        caller: Caller,
        verb: Verb,
        argument: str,
        reason: str,
        outcome: CommandOutcome,
        problem: Problem,
    ) -> None:
        at = self._clock()
        shown = argument[:_MAX_ARGUMENT]
        await self._audit.record(
            CommandEntry(
                id=f"cmd_{uuid7(at)}",
                at=at,
                who=caller.who,
                proof=caller.proof,
                origin=caller.origin,
                text=f"{verb} {shown}".rstrip(),
                verb=verb,
                argument=shown,
                state=CommandState.DONE,
                outcome=outcome,
                problem=problem,
                detail=reason,
            )
        )
