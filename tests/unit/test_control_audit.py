"""What is refused, and what the audit keeps of each command."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway.config import DatabaseSettings, Phone
from gateway.message import MessageId, uuid7
from gateway.metrics import Metrics
from gateway.phone import (
    CommandOutcome,
    CommandState,
    PhoneCommand,
    Problem,
    Verb,
)
from gateway.store.audit import SqlCommandLog
from gateway.store.database import Database
from tests.fakes import NOON
from tests.unit.phone_desk import (
    CALLER,
    DIAL,
    HANGUP,
    Desk,
    LogLostAtTheEnd,
    ScriptedChannel,
    request,
)


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
