"""The audit: who commanded what, and that nothing is commanded twice."""

from dataclasses import replace
from datetime import datetime
from itertools import count

import pytest
from prometheus_client import CollectorRegistry

from gateway.errors import ConflictError
from gateway.message import MessageId, uuid7
from gateway.metrics import Metrics
from gateway.phone import CommandEntry, CommandOutcome, CommandState, Problem
from gateway.store.audit import SqlCommandLog
from gateway.store.database import Database
from tests.contract.node import Node
from tests.contract.samples import ANNA, HOUR, MINUTE, sent
from tests.fakes import NOON

_numbers = count(1)


def started(
    verb: str = "dial",
    *,
    message_id: MessageId | None = None,
    at: datetime = NOON,
    who: str = ANNA,
    origin: str = "sip",
) -> CommandEntry:
    return CommandEntry(
        id=f"cmd_{next(_numbers)}",
        at=at,
        who=who,
        proof="contact parameter",
        origin=origin,
        text=f"{verb} 1002",
        verb=verb,
        argument="1002",
        message_id=message_id,
        channel="dde",
    )


def done(
    entry: CommandEntry,
    outcome: CommandOutcome = CommandOutcome.CONFIRMED,
    problem: Problem = Problem.NONE,
) -> CommandEntry:
    return replace(
        entry,
        state=CommandState.DONE,
        outcome=outcome,
        problem=problem,
        evidence="idle -> dialing",
        detail="\0",
        elapsed_ms=312,
    )


async def test_a_command_is_started_then_finished(command_log: SqlCommandLog) -> None:
    entry = started(message_id=MessageId(uuid7(NOON)))

    begun = await command_log.begin(entry)
    while_running = await command_log.commands(10)
    await command_log.finish(done(entry))

    assert begun is None
    assert list(while_running) == [entry]
    assert list(await command_log.commands(10)) == [replace(done(entry), detail="␀")]


async def test_a_message_runs_one_command(command_log: SqlCommandLog) -> None:
    message_id = MessageId(uuid7(NOON))
    first = started(message_id=message_id)
    await command_log.begin(first)

    found = await command_log.begin(started("hangup", message_id=message_id))

    assert found == first
    assert list(await command_log.commands(10)) == [first]


async def test_a_command_ends_with_the_answer_to_its_message(anna_pc: Node) -> None:
    written = await anna_pc.receives("dial 1002")
    entry = started(message_id=written.id)
    await anna_pc.audit.begin(entry)
    await anna_pc.audit.finish(done(entry))
    (before,) = await anna_pc.audit.commands(10)

    await anna_pc.store.settle_inbound(written.id, [])

    (after,) = await anna_pc.audit.commands(10)
    assert (before.state, after.state) == (CommandState.STARTED, CommandState.DONE)


async def test_a_command_that_a_crash_left_without_its_answer_is_not_run(
    anna_pc: Node, database: Database
) -> None:
    written = await anna_pc.receives("dial 1002")
    entry = started(message_id=written.id)
    await anna_pc.audit.begin(entry)
    await anna_pc.audit.finish(done(entry))
    restarted = Node(database)

    earlier = await restarted.audit.begin(started(message_id=written.id))

    assert earlier == replace(entry, node="anna-pc")


async def test_a_command_ends_although_its_answer_is_stored_at_the_second_try(
    anna_pc: Node,
) -> None:
    written, reply = await anna_pc.receives("dial 1002"), sent()
    entry = started(message_id=written.id)
    await anna_pc.audit.begin(entry)
    await anna_pc.audit.finish(done(entry))
    await anna_pc.store.add_outbound(reply)
    with pytest.raises(ConflictError):
        await anna_pc.store.settle_inbound(written.id, [reply])

    await anna_pc.store.settle_inbound(written.id, [])

    assert [entry.state for entry in await anna_pc.audit.commands(10)] == [CommandState.DONE]


async def test_a_command_that_no_message_brought_ends_at_once(anna_pc: Node) -> None:
    entry = started(message_id=MessageId(uuid7(NOON)), origin="rest")
    await anna_pc.audit.begin(entry)

    await anna_pc.audit.finish(done(entry))

    assert [entry.state for entry in await anna_pc.audit.commands(10)] == [CommandState.DONE]


async def test_commands_without_a_message_are_each_their_own(
    command_log: SqlCommandLog,
) -> None:
    results = [await command_log.begin(started()), await command_log.begin(started())]

    assert results == [None, None]


async def test_a_refusal_recorded_again_after_a_crash_is_one(
    command_log: SqlCommandLog,
) -> None:
    message_id = MessageId(uuid7(NOON))
    refusal = done(started(message_id=message_id), CommandOutcome.REFUSED, Problem.NOT_ALLOWED)
    await command_log.record(refusal)

    await command_log.record(replace(refusal, id="cmd_again"))

    assert [entry.id for entry in await command_log.commands(10)] == [refusal.id]


async def test_the_audit_is_read_newest_first_in_pages(command_log: SqlCommandLog) -> None:
    entries = [started() for _ in range(5)]
    for entry in entries:
        await command_log.record(entry)

    first = await command_log.commands(2)
    second = await command_log.commands(2, before=first[-1].id)
    unknown = await command_log.commands(2, before="cmd_unknown")

    assert [*first, *second] == entries[:0:-1]
    assert list(unknown) == []


@pytest.mark.parametrize(
    ("outcome", "problem", "counts"),
    [
        pytest.param(CommandOutcome.CONFIRMED, Problem.NONE, 1, id="confirmed"),
        pytest.param(CommandOutcome.UNCONFIRMED, Problem.NONE, 1, id="unconfirmed"),
        pytest.param(CommandOutcome.UNCONFIRMED, Problem.NOT_RESPONDING, 1, id="hangs"),
        pytest.param(CommandOutcome.FAILED, Problem.FAILED, 1, id="MicroSIP said no"),
        pytest.param(CommandOutcome.FAILED, Problem.INTERRUPTED, 1, id="interrupted"),
        pytest.param(CommandOutcome.FAILED, Problem.NOT_RUNNING, 0, id="no MicroSIP"),
        pytest.param(CommandOutcome.FAILED, Problem.NO_CALL, 0, id="no call"),
        pytest.param(CommandOutcome.FAILED, Problem.INVALID, 0, id="bad argument"),
        pytest.param(CommandOutcome.REFUSED, Problem.NOT_ALLOWED, 0, id="refused"),
    ],
)
async def test_only_what_may_have_dialled_counts(
    command_log: SqlCommandLog, outcome: CommandOutcome, problem: Problem, counts: int
) -> None:
    await command_log.record(done(started(), outcome, problem))

    assert await command_log.dialled_since(NOON) == counts


async def test_dialling_is_counted_from_a_time_on(command_log: SqlCommandLog) -> None:
    await command_log.begin(started("dial", at=NOON))
    await command_log.begin(started("transfer", at=NOON + HOUR))
    await command_log.begin(started("callto", at=NOON + HOUR))
    await command_log.begin(started("hangup", at=NOON + HOUR))

    assert await command_log.dialled_since(NOON) == 3
    assert await command_log.dialled_since(NOON + MINUTE) == 2


async def test_dialling_is_counted_for_each_caller(command_log: SqlCommandLog) -> None:
    for who in (ANNA, ANNA, "token:crm"):
        await command_log.begin(started(who=who))

    counts = [await command_log.dialled_since(NOON, who=who) for who in (ANNA, "token:crm")]

    assert counts == [2, 1]
    assert await command_log.dialled_since(NOON, who="token:cr%") == 0
    assert await command_log.dialled_since(NOON) == 3


async def test_what_became_of_commands_is_counted(database: Database) -> None:
    registry = CollectorRegistry()
    audit = SqlCommandLog(database=database, metrics=Metrics(registry))

    await audit.record(done(started(), CommandOutcome.REFUSED))

    labels = {"verb": "dial", "outcome": "refused"}
    assert registry.get_sample_value("sip_gateway_commands_total", labels) == 1
