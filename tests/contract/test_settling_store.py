"""Settling: what an outcome makes of delivery, message and peer."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.address import Aor
from gateway.errors import ConflictError
from gateway.message import (
    Deferred,
    Delivered,
    Delivery,
    DeliveryId,
    Expired,
    Failed,
    FinalResponse,
    Message,
    MessageId,
    Outcome,
    Replaced,
    Settlement,
    Status,
    uuid7,
)
from gateway.store.messages import SqlMessageStore
from gateway.store.search import SqlArchive
from tests.contract.samples import (
    ACCEPTED,
    ANNA,
    AWAY,
    BERT,
    HOUR,
    MINUTE,
    NOT_ALLOWED,
    arrival,
    received,
    sent,
    settled,
)
from tests.fakes import NOON, OK

NOT_FOUND = FinalResponse(404, "Not Found", retry_after=7)
TOO_LARGE = FinalResponse(513, "Message Too Large")


async def lease(store: SqlMessageStore, now: datetime = NOON) -> list[Delivery]:
    return list(await store.lease_due(now, MINUTE, 10, 50))


async def stored(archive: SqlArchive, delivery: Delivery) -> Message:
    found = await archive.get(delivery.message_id)
    assert found is not None
    return found.message


def another(delivery: Delivery, body: str) -> Delivery:
    return replace(delivery, id=DeliveryId(uuid7(NOON)), body=body, attempts=1)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        pytest.param(Delivered(OK), Status.DELIVERED, id="200"),
        pytest.param(Delivered(ACCEPTED), Status.RELAYED, id="202"),
        pytest.param(Failed(NOT_FOUND), Status.FAILED, id="failed"),
        pytest.param(Expired(AWAY), Status.EXPIRED, id="expired"),
    ],
)
async def test_a_final_outcome_settles_the_message(
    store: SqlMessageStore, archive: SqlArchive, outcome: Outcome, status: Status
) -> None:
    await store.add_outbound(sent())
    [delivery] = await lease(store)

    final = await store.settle(settled(delivery, outcome, at=NOON + MINUTE))

    message = await stored(archive, delivery)
    assert final is status
    assert (message.status, message.settled_at) == (status, NOON + MINUTE)
    assert (message.response, message.attempts) == (outcome.response, 1)
    assert await lease(store, NOON + 100 * HOUR) == []


async def test_a_deferred_delivery_comes_back_with_its_attempts(
    store: SqlMessageStore,
) -> None:
    await store.add_outbound(sent())
    [delivery] = await lease(store)

    final = await store.settle(settled(delivery, Deferred(AWAY, NOON + HOUR, Status.WAITING)))

    [again] = await lease(store, NOON + HOUR)
    assert final is None
    assert again == replace(delivery, attempts=1)


async def test_what_expires_unsent_keeps_the_last_response(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    await store.add_outbound(sent(ttl=MINUTE))
    [delivery] = await lease(store)
    await store.settle(settled(delivery, Deferred(AWAY, NOON + HOUR, Status.WAITING)))
    [delivery] = await lease(store, NOON + MINUTE)

    final = await store.settle(
        Settlement(delivery=delivery, outcome=Expired(None), at=NOON + MINUTE)
    )

    message = await stored(archive, delivery)
    assert final is Status.EXPIRED
    assert (message.status, message.response, message.attempts) == (Status.EXPIRED, AWAY, 1)
    assert message.settled_at == NOON + MINUTE


async def test_each_attempt_is_kept(store: SqlMessageStore, archive: SqlArchive) -> None:
    await store.add_outbound(sent())
    [first] = await lease(store)
    one = settled(first, Deferred(NOT_FOUND, NOON + HOUR, Status.WAITING))
    await store.settle(one)
    [second] = await lease(store, NOON + HOUR)
    two = settled(second, Delivered(OK), at=NOON + HOUR)
    await store.settle(two)

    attempts = await archive.attempts(first.message_id)

    assert list(attempts) == [one.attempt, two.attempt]


@pytest.mark.parametrize(
    ("responses", "status"),
    [
        pytest.param((OK, OK), Status.DELIVERED, id="both delivered"),
        pytest.param((ACCEPTED, OK), Status.RELAYED, id="one only relayed"),
    ],
)
async def test_a_message_in_parts_is_settled_by_its_last(
    store: SqlMessageStore,
    archive: SqlArchive,
    responses: tuple[FinalResponse, FinalResponse],
    status: Status,
) -> None:
    await store.add_outbound(sent("1", "2"))

    [one] = await lease(store)
    early = await store.settle(settled(one, Delivered(responses[0])))
    [two] = await lease(store)
    final = await store.settle(settled(two, Delivered(responses[1])))

    message = await stored(archive, two)
    assert (early, final) == (None, status)
    assert (message.status, message.attempts) == (status, 2)


async def test_the_first_part_that_fails_fails_the_message(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("1", "2", "3"))
    await store.add_outbound(sent("next"))
    [one] = await lease(store)
    await store.settle(settled(one, Delivered(OK)))
    [two] = await lease(store)

    final = await store.settle(settled(two, Failed(NOT_FOUND)))

    assert final is Status.FAILED
    assert [delivery.body for delivery in await lease(store)] == ["next"]


async def test_a_replacement_takes_the_place_of_what_it_replaces(
    store: SqlMessageStore,
) -> None:
    await store.add_outbound(sent("1", "2"))
    await store.add_outbound(sent("next"))
    [one] = await lease(store)
    smaller = (another(one, "1a"), another(one, "1b"))
    await store.settle(settled(one, Replaced(TOO_LARGE, smaller)))
    [first] = await lease(store)
    await store.settle(settled(first, Replaced(TOO_LARGE, (another(first, "1a plain"),))))

    order, finals = [], []
    while leased := await lease(store):
        order.append(leased[0].body)
        finals.append(await store.settle(settled(leased[0], Delivered(OK))))

    assert order == ["1a plain", "1b", "2", "next"]
    assert finals == [None, None, Status.DELIVERED, Status.DELIVERED]


async def test_a_replacement_keeps_the_attempts_it_was_given(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("1"))
    [one] = await lease(store)

    await store.settle(settled(one, Replaced(TOO_LARGE, (another(one, "1a"),))))

    assert [delivery.attempts for delivery in await lease(store)] == [1]


async def test_a_notice_is_queued_with_the_failure(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("for Anna", peer=ANNA))
    [delivery] = await lease(store)
    notice = sent("it failed", peer=BERT)

    await store.settle(settled(delivery, Failed(NOT_FOUND), notices=(notice,)))

    assert [leased.body for leased in await lease(store)] == ["it failed"]


async def test_a_peer_is_known_once_delivered_to(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("1"))
    await store.add_outbound(sent("2"))
    [first] = await lease(store)
    await store.settle(settled(first, Delivered(OK)))

    [second] = await lease(store)

    assert (first.peer_known, second.peer_known) == (False, True)


async def refused(store: SqlMessageStore) -> None:
    await store.add_outbound(sent())
    [delivery] = await lease(store)
    await store.settle(settled(delivery, Failed(NOT_ALLOWED, remember=True)))


@pytest.mark.parametrize(
    ("later", "refuses"),
    [
        pytest.param(timedelta(0), 405, id="at once"),
        pytest.param(23 * HOUR, 405, id="within a day"),
        pytest.param(24 * HOUR, 0, id="after a day"),
    ],
)
async def test_a_refusal_is_remembered_for_a_day(
    store: SqlMessageStore, later: timedelta, refuses: int
) -> None:
    await refused(store)
    await store.add_outbound(sent())

    [delivery] = await lease(store, NOON + later)

    assert delivery.peer_refuses == refuses


async def test_a_refusal_is_forgotten_when_the_peer_writes(store: SqlMessageStore) -> None:
    await refused(store)

    await store.add_inbound([arrival(received("hello"))])

    await store.add_outbound(sent())
    assert [delivery.peer_refuses for delivery in await lease(store)] == [0]


async def test_a_late_outcome_changes_nothing_that_is_final(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    await store.add_outbound(sent())
    [first] = await lease(store)
    [again] = await lease(store, NOON + MINUTE)
    await store.settle(settled(again, Delivered(OK)))

    late = await store.settle(
        settled(first, Failed(NOT_FOUND), at=NOON + MINUTE, notices=(sent("no"),))
    )

    assert late is None
    assert (await stored(archive, first)).status is Status.DELIVERED
    assert len(await archive.attempts(first.message_id)) == 2
    assert await store.queue_depth() == 0


async def test_outcomes_settled_together_are_each_ones_own(store: SqlMessageStore) -> None:
    outcomes: dict[str, Outcome] = {
        "sip:1@x": Delivered(OK),
        "sip:2@x": Failed(NOT_FOUND),
        "sip:3@x": Expired(None),
        "sip:4@x": Deferred(AWAY, NOON + HOUR, Status.WAITING),
        "sip:5@x": Delivered(ACCEPTED),
    }
    for aor in outcomes:
        await store.add_outbound(sent(peer=Aor(aor)))
    leased = await lease(store)

    finals = await asyncio.gather(
        *(store.settle(settled(item, outcomes[item.peer])) for item in leased)
    )

    assert finals == [
        Status.DELIVERED,
        Status.FAILED,
        Status.EXPIRED,
        None,
        Status.RELAYED,
    ]


async def test_cancelling_ends_what_is_not_final(store: SqlMessageStore) -> None:
    submission = sent("1", "2")
    await store.add_outbound(submission)
    await store.add_outbound(sent("next"))

    message = await store.cancel(submission.message.id, NOON + MINUTE)

    assert message is not None
    assert (message.status, message.settled_at) == (Status.CANCELED, NOON + MINUTE)
    assert [delivery.body for delivery in await lease(store)] == ["next"]


async def test_cancelling_what_is_in_flight_waits_for_its_attempt(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    await store.add_outbound(sent("1"))
    await store.add_outbound(sent("next"))
    [delivery] = await lease(store)
    await store.cancel(delivery.message_id, NOON)

    meanwhile = await lease(store)
    final = await store.settle(settled(delivery, Delivered(OK)))

    assert (meanwhile, final) == ([], None)
    assert (await stored(archive, delivery)).status is Status.CANCELED
    assert len(await archive.attempts(delivery.message_id)) == 1
    assert [item.body for item in await lease(store)] == ["next"]


async def test_a_crash_after_cancelling_blocks_nobody(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("1"))
    [delivery] = await lease(store)
    await store.cancel(delivery.message_id, NOON)
    await store.add_outbound(sent("next"))

    leased = await lease(store, NOON + MINUTE)

    assert [item.body for item in leased] == ["next"]


async def test_a_final_message_cannot_be_cancelled(store: SqlMessageStore) -> None:
    message = received()
    await store.add_inbound([arrival(message)])

    with pytest.raises(ConflictError):
        await store.cancel(message.id, NOON)


async def test_an_unknown_message_is_not_cancelled(store: SqlMessageStore) -> None:
    assert await store.cancel(MessageId(uuid7(NOON)), NOON) is None


async def test_a_final_message_is_resent_as_a_new_one(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    old, new = sent("again"), sent("again")
    await store.add_outbound(old)
    [delivery] = await lease(store)
    await store.settle(settled(delivery, Failed(NOT_FOUND)))

    await store.resend(old.message.id, new)

    found = await archive.get(old.message.id)
    assert found is not None
    assert found.message.status is Status.FAILED
    assert [item.id for item in await lease(store)] == [new.deliveries[0].id]


async def test_what_is_not_final_is_not_resent(store: SqlMessageStore) -> None:
    old = sent("first")
    await store.add_outbound(old)

    with pytest.raises(ConflictError, match=f"^message msg_{old.message.id} is queued, not"):
        await store.resend(old.message.id, sent("again"))

    assert await store.queue_depth() == 1
