"""Outbound webhooks: leased, settled, replayed."""

import asyncio
from datetime import datetime, timedelta

import pytest

from gateway.errors import ConflictError
from gateway.events import Event, EventType
from gateway.store.webhooks import SqlWebhookQueue
from gateway.webhook_delivery import WebhookDelivery, WebhookSettlement, WebhookState
from tests.contract.samples import HOUR, MINUTE
from tests.fakes import NOON

CRM, SHOP = "whe_crm", "whe_shop"
LEASE = timedelta(seconds=30)


def event(number: int = 1, at: datetime = NOON) -> Event:
    return Event(
        id=f"evt_{number}", type=EventType.CALL_ENDED, at=at, data={"peer": "Zoë", "n": number}
    )


def settlement(
    webhook: WebhookDelivery,
    state: WebhookState = WebhookState.DELIVERED,
    *,
    code: int | None = 204,
    due_at: datetime = NOON,
    disables: bool = False,
) -> WebhookSettlement:
    return WebhookSettlement(
        delivery=webhook,
        state=state,
        at=NOON + MINUTE,
        due_at=due_at,
        status_code=code,
        reason="said \0 so",
        disables=disables,
    )


async def leased(
    queue: SqlWebhookQueue, endpoint: str = CRM, at: datetime = NOON, limit: int = 10
) -> list[str]:
    """The event ids of what is leased now."""
    found = await queue.lease_webhooks(endpoint, at, LEASE, limit)
    return [webhook.event_id for webhook in found]


async def test_what_is_queued_for_an_endpoint_is_leased_to_it_alone(
    webhook_queue: SqlWebhookQueue,
) -> None:
    added = await webhook_queue.add_webhook(event(), CRM)

    assert await leased(webhook_queue, SHOP) == []
    [webhook] = await webhook_queue.lease_webhooks(CRM, NOON, LEASE, 10)

    assert webhook == added
    assert (webhook.state, webhook.attempts, webhook.reason) == (WebhookState.OPEN, 0, "")
    assert webhook.body == (
        '{"type":"call.ended","timestamp":"2026-06-01T12:00:00.000Z",'
        '"data":{"peer":"Zoë","n":1}}'
    )


async def test_a_lease_hides_a_webhook_until_it_ends(webhook_queue: SqlWebhookQueue) -> None:
    await webhook_queue.add_webhook(event(), CRM)
    await leased(webhook_queue)

    assert await webhook_queue.next_webhook(CRM) == NOON + LEASE
    assert await leased(webhook_queue, at=NOON + LEASE - timedelta(milliseconds=1)) == []
    assert await leased(webhook_queue, at=NOON + LEASE) == ["evt_1"]


async def test_the_oldest_due_ones_are_leased_first(webhook_queue: SqlWebhookQueue) -> None:
    for number, minutes in ((1, 3), (2, 1), (3, 9), (4, 2)):
        await webhook_queue.add_webhook(event(number, NOON + minutes * MINUTE), CRM)

    assert await webhook_queue.next_webhook(CRM) == NOON + MINUTE
    assert await leased(webhook_queue, at=NOON + 5 * MINUTE, limit=2) == ["evt_2", "evt_4"]
    assert await leased(webhook_queue, at=NOON + 5 * MINUTE) == ["evt_1"]


async def test_leases_at_once_never_share_a_webhook(webhook_queue: SqlWebhookQueue) -> None:
    for number in range(20):
        await webhook_queue.add_webhook(event(number), CRM)

    found = await asyncio.gather(*(leased(webhook_queue, limit=5) for _ in range(6)))

    ids = [event_id for ids in found for event_id in ids]
    assert len(ids) == len(set(ids))
    assert len(ids) + len(await leased(webhook_queue, limit=20)) == 20


async def test_a_delivered_one_is_done(webhook_queue: SqlWebhookQueue) -> None:
    await webhook_queue.add_webhook(event(), CRM)
    [webhook] = await webhook_queue.lease_webhooks(CRM, NOON, LEASE, 1)

    await webhook_queue.settle_webhook(settlement(webhook))

    assert await webhook_queue.next_webhook(CRM) is None
    [shown] = await webhook_queue.webhooks(CRM, 10)
    assert (shown.state, shown.attempts) == (WebhookState.DELIVERED, 1)
    assert (shown.status_code, shown.settled_at) == (204, NOON + MINUTE)
    assert "\0" not in shown.reason


async def test_one_to_be_tried_again_waits_for_its_time(webhook_queue: SqlWebhookQueue) -> None:
    await webhook_queue.add_webhook(event(), CRM)
    [webhook] = await webhook_queue.lease_webhooks(CRM, NOON, LEASE, 1)

    await webhook_queue.settle_webhook(
        settlement(webhook, WebhookState.OPEN, code=None, due_at=NOON + HOUR)
    )

    assert await leased(webhook_queue, at=NOON + HOUR - MINUTE) == []
    [again] = await webhook_queue.lease_webhooks(CRM, NOON + HOUR, LEASE, 1)
    assert (again.attempts, again.status_code, again.settled_at) == (1, None, None)
    assert (again.id, again.event_id, again.body) == (
        webhook.id,
        webhook.event_id,
        webhook.body,
    )


async def test_a_disabled_endpoint_is_left_alone_until_it_is_enabled(
    webhook_queue: SqlWebhookQueue,
) -> None:
    for number in (1, 2):
        await webhook_queue.add_webhook(event(number), CRM)
    await webhook_queue.add_webhook(event(3), SHOP)
    [webhook] = await webhook_queue.lease_webhooks(CRM, NOON, LEASE, 1)

    for _ in range(2):
        await webhook_queue.settle_webhook(
            settlement(webhook, WebhookState.DEAD, code=410, disables=True)
        )
    await webhook_queue.add_webhook(event(4), CRM)

    assert await webhook_queue.disabled_endpoints() == {CRM: NOON + MINUTE}
    assert await leased(webhook_queue) == []
    assert await webhook_queue.next_webhook(CRM) is None
    assert await leased(webhook_queue, SHOP) == ["evt_3"]

    await webhook_queue.enable_endpoint(CRM)

    assert await webhook_queue.disabled_endpoints() == {}
    assert await leased(webhook_queue) == ["evt_2", "evt_4"]


async def test_enabling_what_never_was_disabled_changes_nothing(
    webhook_queue: SqlWebhookQueue,
) -> None:
    await webhook_queue.enable_endpoint(CRM)

    assert await webhook_queue.disabled_endpoints() == {}


@pytest.mark.parametrize("end", [WebhookState.DELIVERED, WebhookState.DEAD])
async def test_a_replayed_one_is_due_with_its_whole_schedule(
    webhook_queue: SqlWebhookQueue, end: WebhookState
) -> None:
    await webhook_queue.add_webhook(event(), CRM)
    [webhook] = await webhook_queue.lease_webhooks(CRM, NOON, LEASE, 1)
    await webhook_queue.settle_webhook(settlement(webhook, end))

    replayed = await webhook_queue.replay_webhook(webhook.id, NOON + HOUR)

    assert replayed is not None
    assert (replayed.state, replayed.attempts) == (WebhookState.OPEN, 0)
    assert replayed.settled_at is None
    assert await leased(webhook_queue, at=NOON + HOUR) == ["evt_1"]


async def test_an_open_one_is_not_replayed(webhook_queue: SqlWebhookQueue) -> None:
    added = await webhook_queue.add_webhook(event(), CRM)

    with pytest.raises(ConflictError, match=added.id):
        await webhook_queue.replay_webhook(added.id, NOON + HOUR)

    assert await webhook_queue.next_webhook(CRM) == NOON


async def test_one_that_is_not_there_is_not_replayed(webhook_queue: SqlWebhookQueue) -> None:
    assert await webhook_queue.replay_webhook("whd_7", NOON) is None


async def test_an_attempt_that_ends_late_changes_no_other_outcome(
    webhook_queue: SqlWebhookQueue,
) -> None:
    await webhook_queue.add_webhook(event(), CRM)
    [webhook] = await webhook_queue.lease_webhooks(CRM, NOON, LEASE, 1)
    await webhook_queue.settle_webhook(settlement(webhook))

    await webhook_queue.settle_webhook(settlement(webhook, WebhookState.OPEN, code=500))

    [shown] = await webhook_queue.webhooks(CRM, 10)
    assert (shown.state, shown.attempts) == (WebhookState.DELIVERED, 1)


async def test_pages_are_newest_first(webhook_queue: SqlWebhookQueue) -> None:
    for number in range(5):
        await webhook_queue.add_webhook(event(number), CRM)
    await webhook_queue.add_webhook(event(9), SHOP)

    first = await webhook_queue.webhooks(CRM, 3)
    second = await webhook_queue.webhooks(CRM, 3, before=first[-1].id)

    assert [webhook.event_id for webhook in first] == ["evt_4", "evt_3", "evt_2"]
    assert [webhook.event_id for webhook in second] == ["evt_1", "evt_0"]


async def test_a_state_narrows_the_page(webhook_queue: SqlWebhookQueue) -> None:
    for number in range(3):
        await webhook_queue.add_webhook(event(number), CRM)
    [webhook] = await webhook_queue.lease_webhooks(CRM, NOON, LEASE, 1)
    await webhook_queue.settle_webhook(settlement(webhook, WebhookState.DEAD, code=None))

    dead = await webhook_queue.webhooks(CRM, 10, state=WebhookState.DEAD)
    still_open = await webhook_queue.webhooks(CRM, 10, state=WebhookState.OPEN)

    assert [one.id for one in dead] == [webhook.id]
    assert len(still_open) == 2


async def test_what_waits_is_counted_by_endpoint(webhook_queue: SqlWebhookQueue) -> None:
    for number, endpoint in enumerate((CRM, CRM, SHOP)):
        await webhook_queue.add_webhook(event(number), endpoint)
    [webhook] = await webhook_queue.lease_webhooks(SHOP, NOON, LEASE, 1)
    await webhook_queue.settle_webhook(settlement(webhook))

    assert await webhook_queue.webhooks_waiting() == {CRM: 2}
