"""One command from its line to its reply: access, limits, age, run, audit."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.caller import Origin
from gateway.chat.access import Access, Denied
from gateway.chat.command import Call, Command, CommandLine, Reply
from gateway.chat.phone import INTERRUPTED
from gateway.chat.reply import shown
from gateway.chat.vocabulary import Vocabulary
from gateway.errors import InvalidRequest, StorageUnavailable
from gateway.limits import KeyedLimit
from gateway.message import uuid7
from gateway.phone import CommandEntry, CommandOutcome, CommandState, Problem, Verb
from gateway.ports import Clock, CommandLog

_INTERRUPTED = "interrupted; look whether it was carried out"
TAKEN_OVER = "not done: the gateway it was written to stopped; write it again"
MAX_AUDITED_TEXT = 1000
MAX_AUDITED_ARGUMENT = 200

log = logging.getLogger(__name__)


class Dispatcher:
    """Carries out what is allowed, once, and leaves an audit entry of each command."""

    def __init__(
        self,
        *,
        vocabulary: Vocabulary,
        access: Access,
        limit: KeyedLimit,
        max_age: timedelta,
        audit: CommandLog,
        clock: Clock,
    ) -> None:
        self._vocabulary = vocabulary
        self._access = access
        self._limit = limit
        self._max_age = max_age
        self._audit = audit
        self._clock = clock

    async def dispatch(self, call: Call) -> Reply:
        """The reply, with the id of its audit entry; raises StorageUnavailable only."""
        command = self._vocabulary.get(call.line.verb)
        if command is None:
            reply = self._unknown(call.line)
            return await self._recorded(self._entry(call, call.line.verb), reply)
        command = command.variant(call.line) or command
        entry = self._entry(call, command.name)
        admitted = self._admitted(command, call)
        if isinstance(admitted, Call) and command.once:
            return await self._once(command, admitted, entry)
        reply = await _reply(command, admitted) if isinstance(admitted, Call) else admitted
        if reply.command_id:
            return reply
        reply = reply if reply.verb else replace(reply, verb=command.name)
        if command.perishable or command.once:
            return await self._recorded_once(entry, reply)
        return await self._recorded(entry, reply)

    async def refuse(self, call: Call, why: str) -> None:
        """Leave only the audit entry of a command that is not even answered."""
        command = self._vocabulary.get(call.line.verb)
        entry = self._entry(call, command.name if command else call.line.verb)
        await self._recorded_once(entry, _refused(call, why))

    def _unknown(self, line: CommandLine) -> Reply:
        return Reply(
            outcome=CommandOutcome.FAILED,
            verb=shown(line.verb, 32),
            state=self._vocabulary.no_such_verb(line.verb),
            problem=Problem.INVALID,
        )

    def _admitted(self, command: Command, call: Call) -> Call | Reply:
        subject = _subject(command, call)
        decision = self._access.decide(
            call.caller, command, subject if isinstance(subject, str) else "", call.at
        )
        if isinstance(decision, Denied):
            return _refused(call, decision.why, *decision.remedy)
        if call.caller.origin is Origin.SIP and not self._limit.allows(call.caller.who):
            return _refused(call, "too many commands at once; wait some seconds, then retry")
        if command.perishable and call.taken_over:
            return Reply(
                outcome=CommandOutcome.FAILED,
                subject=call.line.rest,
                state=TAKEN_OVER,
                problem=Problem.NOT_RUNNING,
            )
        age = self._clock() - call.at
        if command.perishable and age > self._max_age:
            return Reply(
                outcome=CommandOutcome.FAILED,
                subject=call.line.rest,
                state=f"too late: it is {age.total_seconds():.0f} s old and was not run",
                problem=Problem.INVALID,
            )
        # No rule could look at an argument that cannot be understood: it is not run.
        if isinstance(subject, InvalidRequest):
            return _invalid(call, subject)
        return replace(call, granted=decision.permissions)

    async def _once(self, command: Command, call: Call, entry: CommandEntry) -> Reply:
        earlier = await self._audit.begin(entry)
        if earlier is not None:
            return await self._not_again(earlier)
        reply = await _reply(command, call)
        reply = reply if reply.verb else replace(reply, verb=command.name)
        try:
            await self._audit.finish(_done(entry, reply, self._clock()))
        except StorageUnavailable as exc:
            # It has happened, whatever the audit can say: its caller must not repeat it.
            log.warning("%s %s is not in the audit: %s", entry.id, reply.outcome, exc)
        return replace(reply, command_id=entry.id)

    async def _recorded(self, entry: CommandEntry, reply: Reply) -> Reply:
        # Without its message: if a crash comes before the answer, this is done again.
        entry = replace(entry, message_id=None)
        await self._audit.record(_done(entry, reply, self._clock()))
        return replace(reply, command_id=entry.id)

    async def _recorded_once(self, entry: CommandEntry, reply: Reply) -> Reply:
        """*reply* says that it was not run, which must be true of the time before a crash."""
        earlier = await self._audit.begin(entry)
        if earlier is not None:
            return await self._not_again(earlier)
        await self._audit.finish(_done(entry, reply, self._clock()))
        return replace(reply, command_id=entry.id)

    async def _not_again(self, earlier: CommandEntry) -> Reply:
        """What the entry of the same message tells."""
        if earlier.state is CommandState.STARTED:
            earlier = replace(
                earlier,
                state=CommandState.DONE,
                outcome=CommandOutcome.UNCONFIRMED,
                problem=Problem.INTERRUPTED,
                detail=INTERRUPTED if Verb.named(earlier.verb) else _INTERRUPTED,
            )
            await self._audit.finish(earlier)
        return Reply(
            outcome=earlier.outcome or CommandOutcome.UNCONFIRMED,
            verb=earlier.verb,
            subject=earlier.argument,
            state=earlier.detail or earlier.evidence,
            command_id=earlier.id,
        )

    def _entry(self, call: Call, verb: str) -> CommandEntry:
        at = self._clock()
        return CommandEntry(
            id=f"cmd_{uuid7(at)}",
            at=at,
            who=call.caller.who,
            proof=call.caller.proof,
            origin=call.caller.origin,
            text=shown(call.text, MAX_AUDITED_TEXT),
            verb=shown(verb, 32),
            argument=shown(call.line.rest, MAX_AUDITED_ARGUMENT),
            message_id=call.message_id,
        )


async def _reply(command: Command, call: Call) -> Reply:
    try:
        return await command.run(call)
    except InvalidRequest as exc:
        return _invalid(call, exc)


def _subject(command: Command, call: Call) -> str | InvalidRequest:
    try:
        return command.subject(call.line)
    except InvalidRequest as exc:
        return exc


def _invalid(call: Call, error: InvalidRequest) -> Reply:
    return Reply(
        outcome=CommandOutcome.FAILED,
        subject=call.line.rest,
        state=error.detail,
        problem=Problem.INVALID,
    )


def _refused(call: Call, why: str, *remedy: str) -> Reply:
    return Reply(
        outcome=CommandOutcome.REFUSED,
        subject=call.line.rest,
        state=why,
        lines=remedy,
        problem=Problem.NOT_ALLOWED,
    )


def _done(entry: CommandEntry, reply: Reply, now: datetime) -> CommandEntry:
    return replace(
        entry,
        state=CommandState.DONE,
        outcome=reply.outcome,
        problem=reply.problem,
        detail=reply.state,
        elapsed_ms=max(0, round((now - entry.at).total_seconds() * 1000)),
    )
