"""The queue: leases, order, and who holds back whom."""

import asyncio
from dataclasses import replace
from datetime import datetime

from gateway.address import Aor
from gateway.message import Deferred, Delivered, Delivery, Expired, Flag, Status
from gateway.retry import SILENT_AFTER
from gateway.store.database import Database
from gateway.store.messages import SqlMessageStore
from gateway.store.search import SqlArchive
from tests.contract.samples import (
    ANNA,
    AWAY,
    BERT,
    HOUR,
    MINUTE,
    SILENCE,
    sent,
    settled,
)
from tests.fakes import NOON, OK


async def lease(
    store: SqlMessageStore, now: datetime = NOON, limit: int = 10
) -> list[Delivery]:
    return list(await store.lease_due(now, MINUTE, limit, 50))


async def status_of(archive: SqlArchive, delivery: Delivery) -> Status:
    found = await archive.get(delivery.message_id)
    assert found is not None
    return found.message.status


async def flags_of(archive: SqlArchive, delivery: Delivery) -> frozenset[Flag]:
    found = await archive.get(delivery.message_id)
    assert found is not None
    return found.message.flags


async def test_what_was_queued_is_leased_as_it_was(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    submission = sent("hello")

    await store.add_outbound(submission)

    leased = await lease(store)
    assert leased == list(submission.deliveries)
    assert await status_of(archive, leased[0]) is Status.SENDING


async def test_a_lease_hides_a_delivery_until_it_expires(store: SqlMessageStore) -> None:
    await store.add_outbound(sent())
    first = await lease(store)

    hidden = await lease(store, NOON + MINUTE / 2)
    again = await lease(store, NOON + MINUTE)

    assert hidden == []
    assert [delivery.id for delivery in again] == [first[0].id]


async def test_what_is_leased_again_is_flagged_as_resent(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    await store.add_outbound(sent())
    [delivery] = await lease(store)
    before = await flags_of(archive, delivery)

    await lease(store, NOON + MINUTE)

    assert before == frozenset()
    assert await flags_of(archive, delivery) == {Flag.RESENT}


async def test_a_lease_survives_the_end_of_the_process(
    store: SqlMessageStore, database: Database
) -> None:
    await store.add_outbound(sent())
    await lease(store)

    started_anew = SqlMessageStore(database=database)

    assert await lease(started_anew) == []
    assert len(await lease(started_anew, NOON + MINUTE)) == 1


async def test_one_delivery_of_a_peer_is_in_flight(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("1"))
    await store.add_outbound(sent("2"))
    await store.add_outbound(sent("other", peer=BERT))

    leased = await lease(store)

    assert [delivery.body for delivery in leased] == ["1", "other"]


async def test_a_peers_deliveries_leave_in_the_order_they_were_added(
    store: SqlMessageStore,
) -> None:
    for text in ("1", "2", "3"):
        await store.add_outbound(sent(text, f"{text}b"))

    order = []
    while leased := await lease(store):
        order.append(leased[0].body)
        await store.settle(settled(leased[0], Delivered(OK)))

    assert order == ["1", "1b", "2", "2b", "3", "3b"]


async def test_order_holds_for_calls_made_together(store: SqlMessageStore) -> None:
    texts = [str(number) for number in range(20)]
    await asyncio.gather(*(store.add_outbound(sent(text)) for text in texts))

    order = []
    while leased := await lease(store):
        order.append(leased[0].body)
        await store.settle(settled(leased[0], Delivered(OK)))

    assert order == texts


async def test_a_deferred_head_holds_back_its_peer_alone(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("1"))
    [head] = await lease(store)
    await store.settle(settled(head, Deferred(AWAY, NOON + HOUR, Status.WAITING)))
    await store.add_outbound(sent("2"))
    await store.add_outbound(sent("other", peer=BERT))

    now, later = await lease(store), await lease(store, NOON + HOUR)

    assert [delivery.body for delivery in now] == ["other"]
    assert [delivery.body for delivery in later if delivery.peer == ANNA] == ["1"]


async def test_order_survives_a_lease_that_ran_out(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("scheduled", due_at=NOON + MINUTE))
    await store.add_outbound(sent("now"))
    [first] = await lease(store)

    [again] = await lease(store, NOON + 2 * MINUTE)

    assert (first.body, again.body) == ("now", "now")


async def test_a_later_send_at_holds_nobody_back(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("tomorrow", due_at=NOON + HOUR))
    await store.add_outbound(sent("now"))

    [delivery] = await lease(store)
    await store.settle(settled(delivery, Delivered(OK)))
    nothing = await lease(store)
    [scheduled] = await lease(store, NOON + HOUR)

    assert (delivery.body, nothing, scheduled.body) == ("now", [], "tomorrow")


async def test_a_destination_gets_no_more_than_its_share(store: SqlMessageStore) -> None:
    busy, other = "10.0.0.5:5060", "10.0.0.6:5060"
    for number in range(5):
        await store.add_outbound(sent(peer=Aor(f"sip:{number}@busy.example"), destination=busy))
    await store.add_outbound(sent(peer=BERT, destination=other))

    first = await store.lease_due(NOON, MINUTE, 3, 2)
    second = await store.lease_due(NOON, MINUTE, 10, 2)
    await store.settle(settled(first[0], Delivered(OK)))
    third = await store.lease_due(NOON, MINUTE, 10, 2)

    assert [delivery.destination for delivery in first] == [busy, busy, other]
    assert [delivery.destination for delivery in second] == []
    assert [delivery.destination for delivery in third] == [busy]


async def test_a_lease_that_ran_out_counts_no_longer(store: SqlMessageStore) -> None:
    await store.add_outbound(sent(peer=ANNA))
    await store.add_outbound(sent(peer=BERT))
    await store.lease_due(NOON, MINUTE, 10, 1)

    again = await store.lease_due(NOON + MINUTE, MINUTE, 10, 1)

    assert len(again) == 1


async def test_attempts_without_an_answer_leave_their_places_at_the_destination(
    store: SqlMessageStore,
) -> None:
    await store.add_outbound(sent("first"))
    await store.add_outbound(sent("second", peer=BERT))
    await store.lease_due(NOON, MINUTE, 10, 1)

    still_young = await store.lease_due(NOON + SILENT_AFTER / 2, MINUTE, 10, 1)
    [other] = await store.lease_due(NOON + SILENT_AFTER, MINUTE, 10, 1)

    assert list(still_young) == []
    assert other.body == "second"


async def test_who_is_woken_leases_what_woke_it(database: Database) -> None:
    leasing: asyncio.Queue[asyncio.Task[list[Delivery]]] = asyncio.Queue()
    store = SqlMessageStore(
        database=database,
        wake=lambda: leasing.put_nowait(asyncio.create_task(lease(store))),
    )

    await store.add_outbound(sent("first"))
    [first] = await leasing.get_nowait()
    await store.add_outbound(sent("second"))
    held_back = await leasing.get_nowait()
    await store.settle(settled(first, Delivered(OK)))
    [second] = await leasing.get_nowait()

    assert (first.body, held_back, second.body) == ("first", [], "second")


async def test_two_workers_never_get_the_same_delivery(store: SqlMessageStore) -> None:
    for number in range(30):
        await store.add_outbound(sent(peer=Aor(f"sip:{number}@office.example")))

    leases = await asyncio.gather(*(lease(store, limit=10) for _ in range(5)))

    ids = [delivery.id for leased in leases for delivery in leased]
    assert len(ids) == 30
    assert len(set(ids)) == 30


async def test_an_expired_delivery_is_leased_past_a_deferred_head(
    store: SqlMessageStore,
) -> None:
    await store.add_outbound(sent("long", ttl=72 * HOUR))
    await store.add_outbound(sent("short", ttl=MINUTE))
    [head] = await lease(store)
    await store.settle(settled(head, Deferred(AWAY, NOON + HOUR, Status.WAITING)))

    due = await store.next_due(NOON)
    [expired] = await lease(store, NOON + MINUTE)
    await store.settle(settled(expired, Expired(None)))

    assert (due, expired.body) == (NOON + MINUTE, "short")
    assert await lease(store, NOON + MINUTE) == []
    assert await store.next_due(NOON + MINUTE) == NOON + HOUR


async def test_a_released_lease_is_due_again_and_not_resent(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    await store.add_outbound(sent())
    [delivery] = await lease(store)

    await store.release([delivery.id])

    released = await status_of(archive, delivery)
    [again] = await lease(store)
    assert (released, again.id) == (Status.QUEUED, delivery.id)
    assert await flags_of(archive, delivery) == frozenset()


async def test_no_answer_on_the_way_is_flagged_as_resent(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    await store.add_outbound(sent())
    [delivery] = await lease(store)

    await store.settle(settled(delivery, Deferred(SILENCE, NOON + HOUR, Status.RETRYING)))

    assert await flags_of(archive, delivery) == {Flag.RESENT}
    assert await status_of(archive, delivery) is Status.RETRYING


async def test_what_surely_did_not_leave_is_not_flagged_as_resent(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    await store.add_outbound(sent())
    [delivery] = await lease(store)
    unsent = settled(delivery, Deferred(SILENCE, NOON + HOUR, Status.RETRYING))

    await store.settle(replace(unsent, sent=False))

    assert await flags_of(archive, delivery) == frozenset()


async def test_the_next_due_time_is_that_of_what_comes_first(store: SqlMessageStore) -> None:
    empty = await store.next_due(NOON)
    await store.add_outbound(sent(due_at=NOON + HOUR))
    await store.add_outbound(sent(peer=BERT, due_at=NOON + MINUTE))

    scheduled = await store.next_due(NOON)
    await store.lease_due(NOON + MINUTE, MINUTE, 1, 50)

    assert (empty, scheduled) == (None, NOON + MINUTE)
    assert await store.next_due(NOON + MINUTE) == NOON + 2 * MINUTE


async def test_a_returned_account_wakes_its_own_waiting_peers(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("mine", peer=ANNA, account="bot"))
    await store.add_outbound(sent("other", peer=BERT, account="night"))
    for delivery in await lease(store):
        await store.settle(settled(delivery, Deferred(AWAY, NOON + HOUR, Status.WAITING)))

    await store.account_returned("bot", NOON)

    assert [delivery.body for delivery in await lease(store)] == ["mine"]


async def test_an_account_that_returns_during_an_attempt_wakes_its_peer(
    store: SqlMessageStore,
) -> None:
    await store.add_outbound(sent("mine", peer=ANNA, account="bot"))
    [delivery] = await lease(store)

    await store.account_returned("bot", NOON)
    await store.settle(settled(delivery, Deferred(AWAY, NOON + HOUR, Status.WAITING)))

    assert [item.body for item in await lease(store)] == ["mine"]


async def test_the_depth_counts_what_is_still_to_be_made(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("1", "2"))
    [delivery] = await lease(store)

    await store.settle(settled(delivery, Delivered(OK)))

    assert await store.queue_depth() == 1
