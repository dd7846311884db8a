"""Several gateways on one database: each sends by the accounts it has, in one order."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from gateway.message import Deferred, Delivered, Expired, Flag, Status
from gateway.store.database import Database
from gateway.store.messages import SqlMessageStore
from gateway.store.nodes import SqlNodes
from gateway.store.search import SqlArchive
from tests.contract.node import Node
from tests.contract.samples import ANNA, AWAY, BERT, HOUR, MINUTE, sent, settled
from tests.fakes import NOON, OK, FakeClock


@pytest.fixture
def sales(database: Database) -> SqlMessageStore:
    return SqlMessageStore(database=database, accounts=frozenset({"sales"}))


@pytest.fixture
def support(database: Database) -> SqlMessageStore:
    return SqlMessageStore(database=database, accounts=frozenset({"support"}))


async def deliver(store: SqlMessageStore) -> Sequence[str]:
    """What the node can deliver now, one after the other."""
    went: list[str] = []
    while leased := await store.lease_due(NOON, MINUTE, 10, 50):
        for delivery in leased:
            went.append(delivery.body)
            await store.settle(settled(delivery, Delivered(OK)))
    return went


async def test_a_node_sends_by_its_own_accounts(
    sales: SqlMessageStore, support: SqlMessageStore
) -> None:
    await sales.add_outbound(sent("by sales", account="sales", peer=ANNA))
    await sales.add_outbound(sent("by support", account="support", peer=BERT))

    assert await deliver(sales) == ["by sales"]
    assert await sales.next_due(NOON) is None
    assert await support.next_due(NOON) == NOON
    assert await deliver(support) == ["by support"]


async def test_a_peer_is_written_to_in_one_order_by_all(
    sales: SqlMessageStore, support: SqlMessageStore
) -> None:
    for number, account in enumerate(("support", "sales", "sales", "support")):
        await sales.add_outbound(sent(str(number), account=account))

    went = [await deliver(node) for node in (sales, support, sales, support)]

    assert went == [[], ["0"], ["1", "2"], ["3"]]


async def test_one_that_is_scheduled_keeps_no_other_account_waiting(
    sales: SqlMessageStore, support: SqlMessageStore
) -> None:
    await sales.add_outbound(sent("tomorrow", account="sales", due_at=NOON + HOUR))
    await sales.add_outbound(sent("now", account="support"))

    assert await deliver(support) == ["now"]
    assert await sales.next_due(NOON) == NOON + HOUR


async def test_one_whose_time_came_meanwhile_goes_first(
    sales: SqlMessageStore, support: SqlMessageStore
) -> None:
    await sales.add_outbound(sent("scheduled", account="sales", due_at=NOON + MINUTE))
    await sales.add_outbound(sent("later", account="support", due_at=NOON + 2 * MINUTE))
    await sales.add_outbound(
        sent("soon", account="support", due_at=NOON + timedelta(seconds=9))
    )
    at = NOON + 3 * MINUTE

    handed_on = await support.lease_due(at, MINUTE, 10, 50)
    [first] = await sales.lease_due(at, MINUTE, 10, 50)

    assert list(handed_on) == []
    assert first.body == "scheduled"


async def test_what_a_dead_node_was_sending_is_left_to_one_with_its_account(
    database: Database, sales: SqlMessageStore, support: SqlMessageStore
) -> None:
    await sales.add_outbound(sent("in flight", account="sales"))
    await sales.add_outbound(sent("behind", account="support"))
    await sales.lease_due(NOON, MINUTE, 10, 50)
    at = NOON + 2 * MINUTE

    by_support = await support.lease_due(at, MINUTE, 10, 50)
    other_sales = SqlMessageStore(database=database, accounts=frozenset({"sales"}))
    [again] = await other_sales.lease_due(at, MINUTE, 10, 50)

    assert list(by_support) == []
    assert again.body == "in flight"


async def test_what_expired_is_given_up_by_who_can_tell_its_sender(
    sales: SqlMessageStore, support: SqlMessageStore
) -> None:
    await sales.add_outbound(sent("too old", account="sales", ttl=MINUTE))
    at = NOON + HOUR

    by_support = await support.lease_due(at, MINUTE, 10, 50)
    [expired] = await sales.lease_due(at, MINUTE, 10, 50)
    final = await sales.settle(settled(expired, Expired(None), at=at))

    assert list(by_support) == []
    assert final is not None


async def test_who_is_away_holds_others_up_for_ten_minutes_only(
    sales: SqlMessageStore, support: SqlMessageStore
) -> None:
    for number, account in enumerate(("sales", "support", "support")):
        await sales.add_outbound(sent(str(number), account=account))
    went: list[list[str]] = []

    for at in (NOON + 9 * MINUTE, NOON + 10 * MINUTE, NOON + 11 * MINUTE):
        leased = await support.lease_due(at, MINUTE, 10, 50)
        for delivery in leased:
            await support.settle(settled(delivery, Delivered(OK), at=at))
        went.append([delivery.body for delivery in leased])

    assert went == [[], ["1"], ["2"]]
    assert await deliver(sales) == ["0"]


async def test_what_another_was_sending_is_marked_as_perhaps_repeated_when_passed(
    sales: SqlMessageStore, support: SqlMessageStore, archive: SqlArchive
) -> None:
    in_flight = sent("in flight", account="sales")
    await sales.add_outbound(in_flight)
    await sales.add_outbound(sent("behind", account="support"))
    await sales.lease_due(NOON, MINUTE, 10, 50)

    leased = await support.lease_due(NOON + HOUR, MINUTE, 10, 50)

    passed = await archive.get(in_flight.message.id)
    assert [delivery.body for delivery in leased] == ["behind"]
    assert passed is not None
    assert Flag.RESENT in passed.message.flags


async def test_who_is_held_up_by_a_peers_absence_waits_on(
    sales: SqlMessageStore, support: SqlMessageStore
) -> None:
    await sales.add_outbound(sent("first", account="sales"))
    await sales.add_outbound(sent("second", account="support"))
    [away] = await sales.lease_due(NOON, MINUTE, 10, 50)
    await sales.settle(settled(away, Deferred(AWAY, NOON + HOUR, Status.WAITING)))

    assert await support.lease_due(NOON + HOUR - MINUTE, MINUTE, 10, 50) == []


async def test_it_is_known_what_waits_for_others(
    sales: SqlMessageStore, store: SqlMessageStore
) -> None:
    for account in ("sales", "support", "gone", "gone"):
        await sales.add_outbound(sent("hello", account=account))

    assert await sales.waiting_for_others() == {"support": 1, "gone": 2}
    assert await store.waiting_for_others() == {}


async def test_a_lane_that_is_woken_is_its_accounts_again(
    sales: SqlMessageStore, support: SqlMessageStore
) -> None:
    await sales.add_outbound(sent("first", account="sales"))
    await sales.add_outbound(sent("second", account="support"))
    [away] = await sales.lease_due(NOON, MINUTE, 10, 50)
    await sales.settle(settled(away, Deferred(AWAY, NOON + HOUR, Status.WAITING)))

    before = await deliver(sales)
    await sales.account_returned("sales", NOON)

    assert before == []
    assert await deliver(support) == []
    assert await deliver(sales) == ["first"]


async def test_only_who_has_its_account_can_answer_what_a_dead_node_left(
    database: Database, anna_pc: Node
) -> None:
    left = await anna_pc.receives("help")
    takers = [
        SqlNodes(database=database, clock=FakeClock(), accounts=accounts)
        for accounts in (frozenset({"sales"}), frozenset({left.account}))
    ]

    taken = [await taker.take_over() for taker in takers]

    assert [[message.id for message in share] for share in taken] == [[], [left.id]]
