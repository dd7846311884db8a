"""Several gateways on one database: who answers what, when one of them stops."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import null, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.message import Delivered, Flag, Message
from gateway.store import lanes
from gateway.store.database import Database
from gateway.store.nodes import SqlNodes
from gateway.store.search import SqlArchive
from gateway.store.tables import message
from tests.contract.node import Node
from tests.contract.samples import ANNA, BERT, HOUR, MINUTE, arrival, sent, settled
from tests.fakes import NOON, OK


def taken(written: Message) -> Message:
    return replace(written, taken_over=True)


async def test_a_node_answers_what_it_received_itself(anna_pc: Node, bert_pc: Node) -> None:
    written = await anna_pc.receives("help")

    assert list(await bert_pc.store.unhandled()) == []
    assert list(await anna_pc.store.unhandled()) == [written]


async def test_what_is_older_than_nodes_goes_to_the_first_that_starts(
    database: Database, anna_pc: Node, bert_pc: Node
) -> None:
    written = await anna_pc.receives("help")

    async def forget(connection: AsyncConnection) -> None:
        await connection.execute(update(message).values(node=null()))

    await database.write(forget)

    assert list(await bert_pc.store.unhandled()) == [written]
    assert list(await anna_pc.store.unhandled()) == []


async def test_what_a_node_was_sending_is_due_when_it_starts_again(
    database: Database, anna_pc: Node
) -> None:
    await anna_pc.store.add_outbound(sent("1"))
    [before] = await anna_pc.store.lease_due(NOON, HOUR, 10, 50)

    await anna_pc.nodes.resume(NOON + MINUTE)

    [after] = await anna_pc.store.lease_due(NOON + MINUTE, HOUR, 10, 50)
    found = await SqlArchive(database=database).get(after.message_id)
    assert after.id == before.id
    assert found is not None
    assert found.message.flags == {Flag.RESENT}


async def test_a_node_that_starts_takes_lanes_in_the_order_of_all(
    database: Database, anna_pc: Node
) -> None:
    first, last = sorted([ANNA, BERT])
    for peer in (last, first):
        await anna_pc.store.add_outbound(sent(peer=peer))
    await anna_pc.store.lease_due(NOON, HOUR, 10, 50)

    async def take_both(connection: AsyncConnection) -> None:
        await lanes.lock(connection, [first])
        starting.create_task(anna_pc.nodes.resume(NOON + MINUTE))
        await _somebody_waits(connection)
        await lanes.lock(connection, [last])

    async with asyncio.TaskGroup() as starting:
        await database.write(take_both, waits=True)

    again = await anna_pc.store.lease_due(NOON + MINUTE, HOUR, 10, 50)
    assert {delivery.peer for delivery in again} == {first, last}


async def _somebody_waits(connection: AsyncConnection) -> None:
    """For a row that this transaction has taken; SQLite's other writer has not begun."""
    if connection.dialect.name == "postgresql":
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while not await connection.scalar(waiting):
            pass


async def test_what_another_node_is_sending_is_left_to_it(anna_pc: Node, bert_pc: Node) -> None:
    await anna_pc.store.add_outbound(sent("1"))
    await anna_pc.store.lease_due(NOON, HOUR, 10, 50)

    await bert_pc.nodes.resume(NOON + MINUTE)

    assert list(await bert_pc.store.lease_due(NOON + MINUTE, HOUR, 10, 50)) == []


async def test_an_outcome_that_comes_late_leaves_the_other_nodes_lease(
    anna_pc: Node, bert_pc: Node
) -> None:
    await anna_pc.store.add_outbound(sent("1"))
    await anna_pc.store.add_outbound(sent("2"))
    [slow] = await anna_pc.store.lease_due(NOON, MINUTE, 10, 50)
    [taken_over] = await bert_pc.store.lease_due(NOON + HOUR, MINUTE, 10, 50)

    await anna_pc.store.settle(settled(slow, Delivered(OK), at=NOON + HOUR))

    assert taken_over.id == slow.id
    assert list(await anna_pc.store.lease_due(NOON + HOUR, MINUTE, 10, 50)) == []


async def test_a_node_with_a_lease_is_left_alone(anna_pc: Node, bert_pc: Node) -> None:
    await anna_pc.nodes.renew(MINUTE)
    await anna_pc.receives("help")

    assert list(await bert_pc.nodes.take_over()) == []


async def test_a_node_takes_nothing_from_itself(anna_pc: Node) -> None:
    await anna_pc.stops()
    await anna_pc.receives("help")

    assert list(await anna_pc.nodes.take_over()) == []


async def test_a_node_whose_lease_ran_out_is_taken_over_oldest_first(
    anna_pc: Node, bert_pc: Node
) -> None:
    await bert_pc.nodes.renew(MINUTE)
    await anna_pc.stops()
    left = [await anna_pc.receives(text) for text in ("find a", "find b", "find c")]

    assert list(await bert_pc.nodes.take_over()) == [taken(one) for one in left]


async def test_a_node_that_never_had_a_lease_is_taken_over(
    anna_pc: Node, bert_pc: Node
) -> None:
    left = await anna_pc.receives("help")

    assert list(await bert_pc.nodes.take_over()) == [taken(left)]


async def test_what_is_answered_is_not_taken_over(anna_pc: Node, bert_pc: Node) -> None:
    answered = await anna_pc.receives("help")
    await anna_pc.store.settle_inbound(answered.id, [sent("OK help")])

    assert list(await bert_pc.nodes.take_over()) == []


async def test_what_was_taken_over_stays_so_after_a_crash(anna_pc: Node, bert_pc: Node) -> None:
    left = await anna_pc.receives("dial 1002")
    await bert_pc.nodes.take_over()

    assert list(await bert_pc.store.unhandled()) == [taken(left)]


async def test_what_was_taken_over_is_not_the_old_nodes_any_more(
    anna_pc: Node, bert_pc: Node
) -> None:
    left = await anna_pc.receives("find a")
    await bert_pc.nodes.take_over()

    from_the_journal = await anna_pc.store.add_inbound([arrival(left, needs_answer=True)])

    assert list(from_the_journal) == []
    assert list(await anna_pc.store.unhandled()) == []


async def test_what_the_taker_leaves_is_taken_from_it(
    anna_pc: Node, bert_pc: Node, carl_pc: Node
) -> None:
    left = await anna_pc.receives("find a")
    await bert_pc.nodes.take_over()
    await bert_pc.stops()

    assert list(await carl_pc.nodes.take_over()) == [taken(left)]
    assert list(await bert_pc.store.unhandled()) == []


async def test_what_comes_back_to_who_received_it_was_never_another_phones(
    anna_pc: Node, bert_pc: Node
) -> None:
    left = await anna_pc.receives("dial 1002")
    await bert_pc.nodes.take_over()
    await bert_pc.stops()

    assert list(await anna_pc.nodes.take_over()) == [left]


async def test_of_two_answers_the_first_is_sent(anna_pc: Node, bert_pc: Node) -> None:
    left = await anna_pc.receives("find a")
    await bert_pc.nodes.take_over()
    await bert_pc.store.settle_inbound(left.id, [sent("by Bert's")])

    await anna_pc.store.settle_inbound(left.id, [sent("by Anna's")])

    leased = await anna_pc.store.lease_due(NOON, MINUTE, 10, 50)
    assert [delivery.body for delivery in leased] == ["by Bert's"]


async def test_two_takers_never_both_get_one(
    anna_pc: Node, bert_pc: Node, carl_pc: Node
) -> None:
    await asyncio.gather(bert_pc.nodes.renew(MINUTE), carl_pc.nodes.renew(MINUTE))
    left = [await anna_pc.receives(f"find {n}", (ANNA, BERT)[n % 2]) for n in range(40)]

    shares = await asyncio.gather(*(node.nodes.take_over() for node in (bert_pc, carl_pc)))

    got = sorted(one.id for share in shares for one in share)
    assert got == sorted(one.id for one in left)


async def test_what_was_taken_and_is_not_answered_is_told_of_again(
    anna_pc: Node, bert_pc: Node
) -> None:
    """The commit of the taking may not have been acknowledged."""
    answered, left = await anna_pc.receives("find a"), await anna_pc.receives("find b")
    await bert_pc.nodes.take_over()
    await bert_pc.store.settle_inbound(answered.id, [])

    assert list(await bert_pc.nodes.take_over()) == [taken(left)]


async def test_a_lease_is_new_once(anna_pc: Node) -> None:
    renewals = [await anna_pc.nodes.renew(MINUTE) for _ in range(3)]

    assert renewals == [False, True, True]


async def test_a_lease_that_ran_out_is_new_again(anna_pc: Node) -> None:
    await anna_pc.nodes.renew(MINUTE)
    await anna_pc.stops()

    assert await anna_pc.nodes.renew(MINUTE) is False


async def test_a_clock_is_compared_with_the_databases(database: Database) -> None:
    wrong = SqlNodes(database=database, clock=lambda: datetime.now(UTC) + HOUR)

    error = await wrong.clock_error()

    expected = timedelta() if database.is_sqlite else HOUR
    assert abs(error - expected) < MINUTE
