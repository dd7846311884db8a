"""Events are committed with what makes them true, for who wants them."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.events import Event, EventType, Subscription, Subscriptions
from gateway.message import (
    Delivered,
    Delivery,
    Expired,
    Failed,
    FinalResponse,
    Outcome,
    Status,
)
from gateway.representation import message_json
from gateway.store.database import Database
from gateway.store.events import EventOutbox
from gateway.store.messages import SqlMessageStore
from gateway.store.search import SqlArchive
from gateway.store.tables import event, webhook_delivery
from gateway.store.webhooks import SqlWebhookQueue
from tests.contract.samples import ACCEPTED, MINUTE, arrival, received, sent, settled
from tests.fakes import NOON, OK

ALL, CALLS, MESSAGES = "whe_all", "whe_calls", "whe_messages"
SUBSCRIPTIONS = Subscriptions(
    (
        Subscription(endpoint=ALL, patterns=("*",)),
        Subscription(endpoint=CALLS, patterns=("call.*",)),
        Subscription(endpoint=MESSAGES, patterns=("message.received", "message.fail*")),
    )
)


class Waker:
    """Remembers whom it woke."""

    def __init__(self) -> None:
        self.woken: list[str] = []

    def __call__(self, endpoints: Iterable[str]) -> None:
        self.woken += sorted(endpoints)


@pytest.fixture
def waker() -> Waker:
    return Waker()


@pytest.fixture
def telling_store(database: Database, waker: Waker) -> SqlMessageStore:
    """The store with three endpoints."""
    return SqlMessageStore(
        database=database, events=EventOutbox(subscriptions=SUBSCRIPTIONS, wake=waker)
    )


async def told(queue: SqlWebhookQueue, endpoint: str) -> list[Any]:
    """The documents that wait for *endpoint*, oldest first."""
    found = await queue.webhooks(endpoint, 50)
    return [json.loads(webhook.body) for webhook in reversed(found)]


async def rows(database: Database) -> int:
    """Of both tables together."""

    async def work(connection: AsyncConnection) -> int:
        counts = [
            await connection.scalar(select(func.count()).select_from(table))
            for table in (event, webhook_delivery)
        ]
        return sum(count or 0 for count in counts)

    return await database.read(work)


async def attempted(store: SqlMessageStore, outcome: Outcome) -> Delivery:
    """A message, sent and settled."""
    await store.add_outbound(sent("hello"))
    [delivery] = await store.lease_due(NOON, timedelta(minutes=2), 1, 50)
    await store.settle(settled(delivery, outcome, at=NOON + MINUTE))
    return delivery


async def test_a_received_message_is_told_as_rest_shows_it(
    telling_store: SqlMessageStore,
    archive: SqlArchive,
    webhook_queue: SqlWebhookQueue,
    waker: Waker,
) -> None:
    message = received("grüße \0 \udc80", at=NOON + MINUTE)

    await telling_store.add_inbound([arrival(message)])

    found = await archive.get(message.id)
    assert found is not None
    [document] = await told(webhook_queue, MESSAGES)
    assert document == {
        "type": "message.received",
        "timestamp": "2026-06-01T12:01:00.000Z",
        "data": message_json(found.message),
    }
    assert await told(webhook_queue, ALL) == [document]
    assert await told(webhook_queue, CALLS) == []
    assert waker.woken == [ALL, MESSAGES]


async def test_both_endpoints_get_one_event(
    telling_store: SqlMessageStore, webhook_queue: SqlWebhookQueue
) -> None:
    await telling_store.add_inbound([arrival(received("one")), arrival(received("two"))])

    first, second = [await webhook_queue.webhooks(name, 9) for name in (ALL, MESSAGES)]
    assert [webhook.event_id for webhook in first] == [w.event_id for w in second]
    assert {w.id for w in first}.isdisjoint({w.id for w in second})


async def test_a_message_that_comes_twice_is_told_once(
    telling_store: SqlMessageStore, webhook_queue: SqlWebhookQueue
) -> None:
    first = arrival(received("hello", call_id="same"), needs_answer=True)
    again = arrival(received("hello", call_id="same"), needs_answer=True)

    await telling_store.add_inbound([first])
    await telling_store.add_inbound([first, again])

    assert len(await told(webhook_queue, ALL)) == 1


async def test_a_refused_message_is_told_to_nobody(
    telling_store: SqlMessageStore, database: Database
) -> None:
    refused = replace(received("hello", proven=False), status=Status.REFUSED)

    await telling_store.add_inbound([arrival(refused)])

    assert await rows(database) == 0


@pytest.mark.parametrize(
    ("outcome", "event_type"),
    [
        pytest.param(Delivered(OK), "message.delivered", id="delivered"),
        pytest.param(Delivered(ACCEPTED), "message.relayed", id="relayed"),
        pytest.param(Failed(FinalResponse(403, "Forbidden")), "message.failed", id="failed"),
        pytest.param(Expired(None), "message.expired", id="expired"),
    ],
)
async def test_a_final_status_is_told_as_rest_shows_it(
    telling_store: SqlMessageStore,
    archive: SqlArchive,
    webhook_queue: SqlWebhookQueue,
    outcome: Outcome,
    event_type: str,
) -> None:
    delivery = await attempted(telling_store, outcome)

    found = await archive.get(delivery.message_id)
    assert found is not None
    assert await told(webhook_queue, ALL) == [
        {
            "type": event_type,
            "timestamp": "2026-06-01T12:01:00.000Z",
            "data": message_json(found.message),
        }
    ]


async def test_an_endpoint_gets_what_its_patterns_match(
    telling_store: SqlMessageStore, webhook_queue: SqlWebhookQueue
) -> None:
    await attempted(telling_store, Delivered(OK))
    await attempted(telling_store, Failed(FinalResponse(403, "Forbidden")))

    assert [document["type"] for document in await told(webhook_queue, MESSAGES)] == [
        "message.failed"
    ]


async def test_a_cancelled_message_is_told(
    telling_store: SqlMessageStore, webhook_queue: SqlWebhookQueue, waker: Waker
) -> None:
    submission = sent("hello")
    await telling_store.add_outbound(submission)

    await telling_store.cancel(submission.message.id, NOON + MINUTE)

    [document] = await told(webhook_queue, ALL)
    assert document["type"] == "message.canceled"
    assert document["data"]["settled_at"] == "2026-06-01T12:01:00.000Z"
    assert waker.woken == [ALL]


async def test_a_message_on_its_way_is_told_to_nobody(
    telling_store: SqlMessageStore, database: Database, waker: Waker
) -> None:
    await telling_store.add_outbound(sent("one", "two"))
    [delivery] = await telling_store.lease_due(NOON, timedelta(minutes=2), 1, 50)
    await telling_store.settle(settled(delivery, Delivered(OK)))

    assert await rows(database) == 0
    assert waker.woken == []


async def test_without_endpoints_nothing_is_written(
    store: SqlMessageStore, database: Database
) -> None:
    await store.add_inbound([arrival(received("hello"))])
    await attempted(store, Delivered(OK))

    assert await rows(database) == 0


async def test_a_transaction_that_fails_leaves_no_event(
    database: Database,
) -> None:
    outbox = EventOutbox(subscriptions=SUBSCRIPTIONS)

    async def work(connection: AsyncConnection) -> None:
        happened = Event(id="evt_1", type=EventType.CALL_ENDED, at=NOON, data={})
        await outbox.queue(connection, [happened])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write(work)

    assert await rows(database) == 0
