"""Control of MicroSIP over a channel: guard, audit, pace, hand over, read back."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.config import Phone
from gateway.errors import PhoneError, StorageUnavailable
from gateway.message import uuid7
from gateway.microsip.api_log import ApiLog
from gateway.microsip.evidence import effect, may_still_show
from gateway.microsip.guard import DialGuard
from gateway.microsip.observation import Observation
from gateway.microsip.reading import Reading
from gateway.microsip.verdict import (
    INTERRUPTED,
    Verdict,
    judge,
    not_allowed,
    not_done,
    not_handed_over,
    status_read,
)
from gateway.numbers import NumberRules
from gateway.phone import (
    CommandEntry,
    CommandOutcome,
    CommandResult,
    CommandState,
    PhoneCommand,
    PhoneRequest,
    Problem,
    Verb,
)
from gateway.phone_message import PhoneMessage
from gateway.phone_status import PhoneStatus
from gateway.ports import Clock, CommandLog, Health

Sleep = Callable[[float], Awaitable[None]]
"""Lets that many seconds pass: asyncio.sleep."""

LOOK_EVERY = timedelta(milliseconds=100)
LOOK_FOR = timedelta(milliseconds=1500)

log = logging.getLogger(__name__)


class MicroSip:
    """The softphone, one command at a time; each leaves a row in the audit and a log line."""

    def __init__(
        self,
        *,
        reading: Reading,
        command_log: CommandLog,
        rules: NumberRules,
        phone: Phone,
        api_log: ApiLog,
        clock: Clock,
        sleep: Sleep,
    ) -> None:
        self._reading = reading
        self._channel = reading.channel
        self._log = command_log
        self._guard = DialGuard(rules=rules, phone=phone, command_log=command_log, clock=clock)
        self._phone = phone
        self._api_log = api_log
        self._clock = clock
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._handed_over_at: datetime | None = None

    async def execute(self, request: PhoneRequest) -> CommandResult:
        if request.command.verb is Verb.STATUS:
            return await self._run(request)
        async with self._turn:
            return await self._run(request)

    async def status(self) -> PhoneStatus:
        return await self._reading.status()

    async def write(self, message: PhoneMessage) -> str:
        if reason := self._guard.refusal_of(message.number):
            raise PhoneError(Problem.NOT_ALLOWED, reason)
        at = self._clock()
        async with self._turn:
            await self._keep_distance()
            log.info("%s: a message to %s", self._channel.name, message.number)
            try:
                await self._channel.write(message)
            except PhoneError as exc:
                self._api_log.write_message(at, message.number, exc.problem)
                raise
            finally:
                self._handed_over_at = self._clock()
        self._api_log.write_message(at, message.number, CommandOutcome.UNCONFIRMED)
        said = "sent; MicroSIP does not report it"
        return f"{said}; simulated" if self._channel.simulated else said

    async def health(self) -> Sequence[Health]:
        try:
            seen = await self._reading.look()
        except PhoneError as exc:
            return [Health("microsip", ok=False, detail=exc.detail, required=False)]
        detail = f"{self._channel.name}: {seen.state}"
        return [Health("microsip", ok=True, detail=detail, required=False)]

    async def _run(self, request: PhoneRequest) -> CommandResult:
        refusal = await self._guard.refusal(request)
        entry = self._started(request)
        earlier = await self._log.begin(entry)
        if earlier is not None:
            return await self._not_again(request.command, earlier)
        try:
            verdict = (
                not_allowed(refusal) if refusal else await self._carry_out(request.command)
            )
        except BaseException:  # whatever ended it, MicroSIP may have taken it
            await self._finish(entry, request.command, INTERRUPTED)
            raise
        # Only now is it known which way an automatic channel took.
        entry = replace(entry, channel=self._channel.name)
        return await self._finish(entry, request.command, verdict)

    async def _carry_out(self, command: PhoneCommand) -> Verdict:
        try:
            if command.verb is Verb.STATUS:
                return status_read(await self._reading.look())
            await self._keep_distance()
            before = await self._reading.look_before(command)
            if verdict := not_handed_over(command, before):
                return verdict
            since = self._clock()
            timed_out = await self._hand_over(command)
        except PhoneError as exc:
            return not_done(exc)
        after = await self._look_for(command, before, since)
        return judge(command, before, after, since, timed_out)

    async def _keep_distance(self) -> None:
        """MicroSIP processes commands asynchronously, and loses what comes too fast."""
        if self._handed_over_at is None:
            return
        spacing = self._phone.command_spacing
        rest = min(spacing - (self._clock() - self._handed_over_at), spacing)
        if rest > timedelta(0):
            await self._sleep(rest.total_seconds())

    async def _hand_over(self, command: PhoneCommand) -> PhoneError | None:
        """The error, when MicroSIP may have taken the command all the same."""
        log.info("%s: %s", self._channel.name, self._channel.phrase(command))
        if command.verb is Verb.REJECT:
            self._reading.declining()
        try:
            await self._channel.execute(command)
        except PhoneError as exc:
            if exc.problem != Problem.NOT_RESPONDING:
                raise
            return exc
        finally:
            self._handed_over_at = self._clock()
        return None

    async def _look_for(
        self, command: PhoneCommand, before: Observation, since: datetime
    ) -> Observation:
        """Look until the effect shows, none can be expected, or it took too long."""
        until = self._clock() + LOOK_FOR
        looks = LOOK_FOR // LOOK_EVERY  # bounded too where somebody sets the clock back
        after = await self._reading.look_again()
        for _ in range(looks):
            if effect(command, before, after, since):
                break
            if not may_still_show(command, before, after):
                break
            if self._clock() >= until:
                break
            await self._sleep(LOOK_EVERY.total_seconds())
            after = await self._reading.look_again()
        return after

    def _started(self, request: PhoneRequest) -> CommandEntry:
        at = self._clock()
        return CommandEntry(
            id=f"cmd_{uuid7(at)}",
            at=at,
            who=request.caller.who,
            proof=request.caller.proof,
            origin=request.caller.origin,
            text=request.text,
            verb=request.command.verb,
            argument=request.command.argument,
            message_id=request.message_id,
            channel=self._channel.name,
        )

    async def _not_again(self, command: PhoneCommand, earlier: CommandEntry) -> CommandResult:
        if earlier.state is CommandState.STARTED:
            return await self._finish(earlier, command, INTERRUPTED)
        return _result(command, earlier)

    async def _finish(
        self, entry: CommandEntry, command: PhoneCommand, verdict: Verdict
    ) -> CommandResult:
        now = self._clock()
        done = replace(
            entry,
            state=CommandState.DONE,
            outcome=verdict.outcome,
            problem=verdict.problem,
            evidence=verdict.evidence,
            detail=verdict.detail,
            elapsed_ms=max(0, round((now - entry.at).total_seconds() * 1000)),
        )
        seen = verdict.seen
        known = seen is not None and not (seen.gone or seen.silent)
        result = replace(
            _result(command, done),
            simulated=self._channel.simulated,
            status=await self._reading.status_of(seen) if seen and known else None,
        )
        self._api_log.write(entry.at, result)
        try:
            await self._log.finish(done)
        except StorageUnavailable as exc:
            # It has happened, whatever the audit can say: its caller must not repeat it.
            log.warning("%s %s is not in the audit: %s", done.id, verdict.outcome, exc)
        return result


def _result(command: PhoneCommand, entry: CommandEntry) -> CommandResult:
    """What *entry*, which is done, says of *command*."""
    return CommandResult(
        command_id=entry.id,
        command=command,
        outcome=entry.outcome or CommandOutcome.UNCONFIRMED,
        problem=entry.problem,
        evidence=entry.evidence,
        detail=entry.detail,
        channel=entry.channel,
        elapsed_ms=entry.elapsed_ms,
    )
