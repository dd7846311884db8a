"""Control of MicroSIP: guarded, audited, paced, judged by what is seen."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway.caller import Caller, Origin
from gateway.config import DatabaseSettings, Dde, Phone
from gateway.errors import PhoneError, StorageUnavailable
from gateway.message import MessageId, uuid7
from gateway.metrics import Metrics
from gateway.microsip.api_log import FILE_NAME, ApiLog
from gateway.microsip.control import MicroSip
from gateway.microsip.phrase import phrase
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
from gateway.phone_status import Look, PhoneState
from gateway.store.audit import SqlCommandLog
from gateway.store.database import Database
from tests.fakes import NOON, FakeClock

CALLER = Caller(who="sip:101@office.example", proof="contact parameter", origin=Origin.SIP)
DIAL = PhoneCommand(Verb.DIAL, ("1002",))
HANGUP = PhoneCommand(Verb.HANGUP)
STATUS = PhoneCommand(Verb.STATUS)
AWAY = PhoneError(Problem.NOT_RUNNING, "MicroSIP is not running; start it")
HANGS = PhoneError(Problem.NOT_RESPONDING, "MicroSIP does not respond; look at the phone")
SAID_NO = PhoneError(Problem.FAILED, "MicroSIP refused it; try again")

Said = str | None | PhoneError


class ScriptedChannel:
    """Says the *statuses* one after the other, the last one for ever."""

    name = "scripted"
    simulated = False

    def __init__(self, *statuses: Said, answer: PhoneError | None = None) -> None:
        self.executed: list[str] = []
        self.looks = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.reached = asyncio.Event()
        self._statuses = deque(statuses)
        self._answer = answer

    def phrase(self, command: PhoneCommand) -> str:
        return phrase(command, "plain")

    async def execute(self, command: PhoneCommand) -> None:
        self.executed.append(self.phrase(command))
        self.reached.set()
        await self.gate.wait()
        if self._answer:
            raise self._answer

    async def status(self) -> Look:
        self.looks += 1
        said = self._statuses.popleft() if len(self._statuses) > 1 else self._statuses[0]
        if isinstance(said, PhoneError):
            raise said
        return Look(words=said)


class LogLostAtTheEnd(SqlCommandLog):
    """The database goes away while the phone is commanded."""

    async def finish(self, entry: CommandEntry) -> None:
        raise StorageUnavailable(f"database: gone before {entry.id}")


class Desk:
    """Builds controls that share an audit, a log file, a clock."""

    def __init__(self, command_log: SqlCommandLog, data_dir: Path) -> None:
        self.clock = FakeClock()
        self.slept: list[float] = []
        self.audit = command_log
        self.phone = Phone()
        self._data_dir = data_dir

    def control(self, channel: ScriptedChannel) -> MicroSip:
        return MicroSip(
            channel=channel,
            command_log=self.audit,
            rules=NumberRules(),
            phone=self.phone,
            api_log=ApiLog(self._data_dir),
            clock=self.clock,
            sleep=self._sleep,
        )

    async def run(self, channel: ScriptedChannel, command: PhoneCommand) -> CommandResult:
        return await self.control(channel).execute(request(command))

    def lines(self) -> list[str]:
        return (self._data_dir / FILE_NAME).read_text("utf-8").splitlines()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))


def request(command: PhoneCommand, message_id: MessageId | None = None) -> PhoneRequest:
    return PhoneRequest(
        command=command, caller=CALLER, text=str(command), message_id=message_id
    )


@pytest.fixture
async def command_log(data_dir: Path) -> AsyncIterator[SqlCommandLog]:
    async with Database(settings=DatabaseSettings(), data_dir=data_dir) as database:
        await database.prepare()
        yield SqlCommandLog(database=database, metrics=Metrics(CollectorRegistry()))


@pytest.fixture
def desk(command_log: SqlCommandLog, data_dir: Path) -> Desk:
    return Desk(command_log, data_dir)


async def test_a_command_is_confirmed_once_the_effect_shows(desk: Desk) -> None:
    channel = ScriptedChannel("Idle", "Idle", "Idle", "Dialing 1002")

    result = await desk.run(channel, DIAL)

    assert result.outcome is CommandOutcome.CONFIRMED
    assert result.evidence == "idle -> dialing"
    assert channel.executed == ["Dial 1002"]
    assert desk.slept == [0.1, 0.1]
    assert result.elapsed_ms == 200
    assert result.status is not None
    assert (result.status.state, result.status.raw) == (PhoneState.DIALING, "Dialing 1002")


async def test_a_command_without_visible_effect_is_unconfirmed_after_1500_ms(
    desk: Desk,
) -> None:
    result = await desk.run(ScriptedChannel("Idle"), DIAL)

    assert result.outcome is CommandOutcome.UNCONFIRMED
    assert result.problem is Problem.NONE
    assert result.elapsed_ms == 1500
    assert result.detail == "sent; MicroSIP still says 'Idle': look at the phone"


async def test_what_microsip_does_not_report_is_not_waited_for(desk: Desk) -> None:
    volume = PhoneCommand(Verb.VOLUME, ("40",))

    result = await desk.run(ScriptedChannel("In call 1002"), volume)

    assert result.outcome is CommandOutcome.UNCONFIRMED
    assert result.detail == "sent; MicroSIP does not report it"
    assert not desk.slept


async def test_without_any_status_a_command_is_sent_but_unconfirmed(desk: Desk) -> None:
    channel = ScriptedChannel(None)

    result = await desk.run(channel, HANGUP)

    assert channel.executed == ["Hangup"]
    assert result.outcome is CommandOutcome.UNCONFIRMED
    assert "does not report its state" in result.detail


async def test_a_state_that_forbids_the_command_sends_nothing(desk: Desk) -> None:
    channel = ScriptedChannel("Idle")

    result = await desk.run(channel, HANGUP)

    assert channel.executed == []
    assert (result.outcome, result.problem) == (CommandOutcome.FAILED, Problem.NO_CALL)
    assert result.detail == "no call is up; dial first"


BEFORE = [
    pytest.param(HANGS, Problem.NOT_RESPONDING, id="hangs"),
    pytest.param(SAID_NO, Problem.FAILED, id="fails"),
]


@pytest.mark.parametrize(("error", "problem"), BEFORE)
async def test_a_microsip_that_cannot_be_asked_is_sent_nothing(
    desk: Desk, error: PhoneError, problem: Problem
) -> None:
    channel = ScriptedChannel(error)

    result = await desk.run(channel, DIAL)

    assert channel.executed == []
    assert (result.outcome, result.problem) == (CommandOutcome.FAILED, problem)
    assert result.detail == error.detail


async def test_one_that_does_not_run_is_left_to_the_channel_to_start(desk: Desk) -> None:
    starts, cannot = ScriptedChannel(AWAY, "Calling 1002"), ScriptedChannel(AWAY, answer=AWAY)

    started = await desk.run(starts, DIAL)
    refused = await desk.run(cannot, DIAL)

    assert (started.outcome, started.evidence) == (CommandOutcome.CONFIRMED, "Calling 1002")
    assert (refused.outcome, refused.problem) == (CommandOutcome.FAILED, Problem.NOT_RUNNING)
    assert refused.detail == AWAY.detail


async def test_one_that_does_not_run_has_no_call_to_command(desk: Desk) -> None:
    channel = ScriptedChannel(AWAY)

    result = await desk.run(channel, HANGUP)

    assert channel.executed == []
    assert (result.outcome, result.problem) == (CommandOutcome.FAILED, Problem.NOT_RUNNING)
    assert result.detail == f"no call: {AWAY.detail}"


@pytest.mark.parametrize("error", [AWAY, SAID_NO], ids=["away", "said no"])
async def test_a_refused_command_has_failed(desk: Desk, error: PhoneError) -> None:
    channel = ScriptedChannel("Idle", answer=error)

    result = await desk.run(channel, DIAL)

    assert (result.outcome, result.problem) == (CommandOutcome.FAILED, error.problem)
    assert channel.looks == 1


async def test_a_timed_out_command_is_confirmed_when_status_shows_it(desk: Desk) -> None:
    channel = ScriptedChannel("Idle", HANGS, "In call 1002", answer=HANGS)

    result = await desk.run(channel, DIAL)

    assert (result.outcome, result.problem) == (CommandOutcome.CONFIRMED, Problem.NONE)
    assert result.evidence == "idle -> active"
    assert channel.executed == ["Dial 1002"]


@pytest.mark.parametrize("after", ["Idle", None, HANGS, AWAY], ids=str)
async def test_a_timed_out_command_is_in_doubt_when_status_does_not_decide(
    desk: Desk, after: Said
) -> None:
    channel = ScriptedChannel("Idle", after, answer=HANGS)

    result = await desk.run(channel, DIAL)

    assert result.outcome is CommandOutcome.UNCONFIRMED
    assert result.problem is Problem.NOT_RESPONDING
    assert channel.executed == ["Dial 1002"]


AFTER = [
    pytest.param(AWAY, "then MicroSIP ended", id="ended"),
    pytest.param(HANGS, "then MicroSIP stopped responding", id="hangs"),
]


@pytest.mark.parametrize(("after", "words"), AFTER)
async def test_a_microsip_lost_after_a_command_leaves_it_unconfirmed(
    desk: Desk, after: PhoneError, words: str
) -> None:
    result = await desk.run(ScriptedChannel("Idle", after), DIAL)

    assert result.outcome is CommandOutcome.UNCONFIRMED
    assert words in result.detail
    assert result.status is None


@pytest.mark.parametrize("answer", [None, HANGS], ids=["answered", "timed out"])
async def test_closing_is_confirmed_by_microsip_being_gone(
    desk: Desk, answer: PhoneError | None
) -> None:
    channel = ScriptedChannel("Idle", "Idle", AWAY, answer=answer)

    result = await desk.run(channel, PhoneCommand(Verb.CLOSE))

    assert result.outcome is CommandOutcome.CONFIRMED
    assert result.evidence == "MicroSIP is gone"


async def test_commands_keep_the_configured_distance(desk: Desk) -> None:
    control = desk.control(ScriptedChannel(None))

    await control.execute(request(HANGUP))
    desk.clock.advance(timedelta(milliseconds=100))
    await control.execute(request(HANGUP))

    assert desk.slept == [pytest.approx(0.2)]


async def test_a_clock_set_back_does_not_hold_up_a_command(desk: Desk) -> None:
    control = desk.control(ScriptedChannel(None))

    await control.execute(request(HANGUP))
    desk.clock.advance(timedelta(days=-1))
    await control.execute(request(HANGUP))

    assert desk.slept == [0.3]


async def test_reading_status_keeps_no_distance(desk: Desk) -> None:
    control = desk.control(ScriptedChannel(None))

    await control.execute(request(HANGUP))
    await control.execute(request(STATUS))

    assert desk.slept == []


async def test_one_command_at_a_time_is_handed_over(desk: Desk) -> None:
    channel = ScriptedChannel(None)
    channel.gate.clear()
    control = desk.control(channel)

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(control.execute(request(DIAL)))
        second = tasks.create_task(control.execute(request(HANGUP)))
        await channel.reached.wait()
        status = await control.execute(request(STATUS))
        handed_over = list(channel.executed)
        channel.gate.set()

    assert status.outcome is CommandOutcome.CONFIRMED
    assert handed_over == ["Dial 1002"]
    assert channel.executed == ["Dial 1002", "Hangup"]
    assert first.result().outcome is second.result().outcome is CommandOutcome.UNCONFIRMED


READINGS = [
    pytest.param("In call 1002", PhoneState.ACTIVE, "", id="known"),
    pytest.param(
        "Gespräch", PhoneState.UNKNOWN, "[phone.dde.status_words]", id="unknown words"
    ),
    pytest.param(None, PhoneState.UNKNOWN, "does not report", id="no status"),
]


@pytest.mark.parametrize(("said", "state", "words"), READINGS)
async def test_status_is_read_and_its_words_kept(
    desk: Desk, said: str | None, state: PhoneState, words: str
) -> None:
    result = await desk.run(ScriptedChannel(said), STATUS)

    assert result.outcome is CommandOutcome.CONFIRMED
    assert result.status is not None
    assert (result.status.state, result.status.raw) == (state, said or "")
    assert words in result.detail


async def test_the_phone_can_be_looked_at_without_an_audit_entry(desk: Desk) -> None:
    status = await desk.control(ScriptedChannel("On hold 1002")).status()

    assert status.state is PhoneState.HELD
    assert status.source == "scripted"
    assert status.observed_at == NOON
    assert await desk.audit.commands(10) == []


async def test_looking_at_a_phone_that_is_away_raises(desk: Desk) -> None:
    with pytest.raises(PhoneError):
        await desk.control(ScriptedChannel(AWAY)).status()


async def test_configured_status_words_are_read(desk: Desk) -> None:
    desk.phone = Phone(dde=Dde(status_words={"idle": ("frei",)}))

    status = await desk.control(ScriptedChannel("Frei")).status()

    assert status.state is PhoneState.IDLE


HEALTHS = [
    pytest.param("Idle", True, "scripted: idle", id="there"),
    pytest.param(AWAY, False, AWAY.detail, id="away"),
]


@pytest.mark.parametrize(("said", "ok", "detail"), HEALTHS)
async def test_health_tells_of_microsip_without_requiring_it(
    desk: Desk, said: Said, detail: str, *, ok: bool
) -> None:
    (health,) = await desk.control(ScriptedChannel(said)).health()

    assert (health.part, health.ok, health.detail) == ("microsip", ok, detail)
    assert not health.required


async def test_a_denied_number_is_refused_before_the_phone_is_touched(desk: Desk) -> None:
    channel = ScriptedChannel("Idle")

    result = await desk.run(channel, PhoneCommand(Verb.DIAL, ("0044123",)))

    assert (channel.executed, channel.looks) == ([], 0)
    assert (result.outcome, result.problem) == (CommandOutcome.REFUSED, Problem.NOT_ALLOWED)
    assert result.detail == "00* is denied by [phone] deny_numbers"


async def test_calls_beyond_those_of_an_hour_are_refused_until_it_has_passed(
    desk: Desk,
) -> None:
    desk.phone = Phone(calls_per_hour=2)
    control = desk.control(ScriptedChannel(None))

    outcomes = [(await control.execute(request(DIAL))).outcome for _ in range(3)]
    transfer = await control.execute(request(PhoneCommand(Verb.TRANSFER, ("1003",))))
    hangup = await control.execute(request(HANGUP))
    desk.clock.advance(timedelta(hours=1, seconds=2))
    later = await control.execute(request(DIAL))

    unconfirmed, refused = CommandOutcome.UNCONFIRMED, CommandOutcome.REFUSED
    assert outcomes == [unconfirmed, unconfirmed, refused]
    assert transfer.outcome is refused
    assert "[phone] calls_per_hour allows 2" in transfer.detail
    assert hangup.outcome is unconfirmed
    assert later.outcome is unconfirmed


async def test_each_command_is_an_audit_entry_with_a_log_line(desk: Desk) -> None:
    await desk.run(ScriptedChannel("Idle", "Dialing 1002"), DIAL)
    await desk.run(ScriptedChannel("Idle"), HANGUP)

    refused, confirmed = await desk.audit.commands(10)
    assert (confirmed.who, confirmed.proof) == (CALLER.who, CALLER.proof)
    assert (confirmed.verb, confirmed.argument, confirmed.channel) == (
        "dial",
        "1002",
        "scripted",
    )
    assert (confirmed.state, confirmed.outcome) == (CommandState.DONE, CommandOutcome.CONFIRMED)
    assert confirmed.evidence == "idle -> dialing"
    assert refused.problem is Problem.NO_CALL
    assert desk.lines() == [
        "2026-06-01 12:00:00Z dial 1002 confirmed",
        "2026-06-01 12:00:00Z hangup failed phone_no_call",
    ]


async def test_the_started_entry_is_committed_before_the_phone_is_touched(desk: Desk) -> None:
    channel = ScriptedChannel("Idle", "Dialing 1002")
    channel.gate.clear()
    control = desk.control(channel)

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(control.execute(request(DIAL)))
        await channel.reached.wait()
        (entry,) = await desk.audit.commands(10)
        channel.gate.set()

    assert (entry.state, entry.outcome) == (CommandState.STARTED, None)
    assert running.result().command_id == entry.id


async def test_a_message_runs_its_command_once(desk: Desk) -> None:
    message_id = MessageId(uuid7(NOON))
    channel = ScriptedChannel("Idle", "Dialing 1002")
    control = desk.control(channel)

    first = await control.execute(request(DIAL, message_id))
    again = await control.execute(request(DIAL, message_id))

    assert channel.executed == ["Dial 1002"]
    assert (again.command_id, again.outcome) == (first.command_id, first.outcome)
    assert again.evidence == first.evidence


async def test_a_repeated_message_is_not_refused_for_the_call_it_made_itself(
    desk: Desk,
) -> None:
    desk.phone = Phone(calls_per_hour=1)
    message_id = MessageId(uuid7(NOON))
    control = desk.control(ScriptedChannel("Idle", "Dialing 1002"))

    await control.execute(request(DIAL, message_id))
    again = await control.execute(request(DIAL, message_id))

    assert again.outcome is CommandOutcome.CONFIRMED


async def test_a_command_that_a_crash_interrupted_is_not_repeated(desk: Desk) -> None:
    message_id = MessageId(uuid7(NOON))
    before = ScriptedChannel("Idle", "Dialing 1002")
    await desk.control(before).execute(request(DIAL, message_id))
    (entry,) = await desk.audit.commands(1)
    await desk.audit.finish(replace(entry, state=CommandState.STARTED, outcome=None))
    after = ScriptedChannel("Dialing 1002")

    result = await desk.control(after).execute(request(DIAL, message_id))

    assert (after.executed, after.looks) == ([], 0)
    assert (result.outcome, result.problem) == (
        CommandOutcome.UNCONFIRMED,
        Problem.INTERRUPTED,
    )
    assert result.detail == "interrupted; check the phone"
    (done,) = await desk.audit.commands(10)
    assert (done.state, done.problem) == (CommandState.DONE, Problem.INTERRUPTED)


async def test_what_has_happened_is_told_though_the_audit_is_lost(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with Database(settings=DatabaseSettings(), data_dir=data_dir) as database:
        await database.prepare()
        desk = Desk(
            LogLostAtTheEnd(database=database, metrics=Metrics(CollectorRegistry())), data_dir
        )

        result = await desk.run(ScriptedChannel("Idle", "Dialing 1002"), DIAL)

    assert result.outcome is CommandOutcome.CONFIRMED
    assert "is not in the audit" in caplog.text


async def test_a_cancelled_command_ends_interrupted_in_the_audit(desk: Desk) -> None:
    channel = ScriptedChannel("Idle")
    channel.gate.clear()
    running = asyncio.create_task(desk.control(channel).execute(request(DIAL)), name="dial")
    async with asyncio.timeout(5):
        await channel.reached.wait()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    (entry,) = await desk.audit.commands(10)
    assert (entry.state, entry.problem) == (CommandState.DONE, Problem.INTERRUPTED)
    assert desk.lines() == ["2026-06-01 12:00:00Z dial 1002 unconfirmed interrupted"]


class ChoosingChannel(ScriptedChannel):
    """Knows which way it takes only when it is used."""

    async def execute(self, command: PhoneCommand) -> None:
        self.name = "chosen"
        await super().execute(command)


async def test_the_audit_names_the_channel_that_was_used(
    command_log: SqlCommandLog, data_dir: Path
) -> None:
    desk = Desk(command_log, data_dir)

    result = await desk.run(ChoosingChannel("Idle", "Dialing 1002"), DIAL)

    (entry,) = await command_log.commands(1)
    assert result.channel == entry.channel == "chosen"


class BrokenChannel(ScriptedChannel):
    """Takes the command, then fails as no channel should."""

    async def execute(self, command: PhoneCommand) -> None:
        await super().execute(command)
        raise RuntimeError("a defect")


async def test_a_defect_behind_the_hand_over_leaves_no_command_open(desk: Desk) -> None:
    with pytest.raises(RuntimeError, match="a defect"):
        await desk.run(BrokenChannel("Idle"), DIAL)

    (entry,) = await desk.audit.commands(1)
    assert (entry.state, entry.problem) == (CommandState.DONE, Problem.INTERRUPTED)
