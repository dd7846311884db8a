"""From a queued event to what a real HTTP server gets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from gateway.config import DatabaseSettings, WebhookEndpoint
from gateway.errors import StorageUnavailable
from gateway.events import Event, EventType
from gateway.metrics import Metrics
from gateway.store.database import Database
from gateway.store.webhooks import SqlWebhookQueue
from gateway.webhook_delivery import WebhookDelivery, WebhookSettlement, WebhookState
from gateway.webhooks.worker import WebhookParts, WebhookWorker, WebhookWorkerSettings
from tests.fakes import NOON, FakeClock
from tests.flow.stage import AT_ONCE
from tests.webhook_receiver import CLOSING, OLD_SECRET, SECRET, WebhookReceiver

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class ObservedQueue(SqlWebhookQueue):
    """The queue, telling what is settled; away as often as a test says."""

    def __init__(self, *, database: Database) -> None:
        super().__init__(database=database)
        self.settlements: asyncio.Queue[WebhookSettlement] = asyncio.Queue()
        self.outages = 0

    async def settle_webhook(self, settlement: WebhookSettlement) -> None:
        if self.outages:
            self.outages -= 1
            raise StorageUnavailable("the database is away")
        await super().settle_webhook(settlement)
        self.settlements.put_nowait(settlement)

    async def settled(self) -> WebhookSettlement:
        async with asyncio.timeout(5):
            return await self.settlements.get()


@dataclass(kw_only=True)
class Desk:
    """Queues events by hand, for endpoints whose worker runs or not."""

    queue: ObservedQueue
    clock: FakeClock = field(default_factory=FakeClock)
    metrics: Metrics = field(default_factory=lambda: Metrics(CollectorRegistry()))
    settings: WebhookWorkerSettings = field(
        default_factory=lambda: WebhookWorkerSettings(grace=timedelta(), patience=AT_ONCE)
    )

    def worker(self, *endpoints: WebhookEndpoint) -> WebhookWorker:
        return WebhookWorker(
            endpoints=endpoints,
            parts=WebhookParts(
                queue=self.queue,
                clock=self.clock,
                chance=lambda: 0.0,
                metrics=self.metrics,
                settings=self.settings,
            ),
        )

    async def queued(self, endpoint: WebhookEndpoint, number: int = 1) -> WebhookDelivery:
        event = Event(
            id=f"evt_{number}", type=EventType.TEST, at=self.clock(), data={"number": number}
        )
        return await self.queue.add_webhook(event, endpoint.id)

    async def shown(self, webhook: WebhookDelivery) -> WebhookDelivery:
        found = await self.queue.webhooks(webhook.endpoint, 50)
        return next(one for one in found if one.id == webhook.id)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with Database(settings=DatabaseSettings(), data_dir=tmp_path) as database:
        await database.prepare()
        yield Desk(queue=ObservedQueue(database=database))


@asynccontextmanager
async def running(worker: WebhookWorker) -> AsyncIterator[None]:
    flow = asyncio.create_task(worker.run(), name="webhooks")
    try:
        yield
        assert not flow.done(), flow
    finally:
        flow.cancel()
        await asyncio.wait([flow])
        assert flow.cancelled()


def endpoint_at(url: str, *, secret: str = SECRET, private: bool = True) -> WebhookEndpoint:
    return WebhookEndpoint(url=url, secret=SecretStr(secret), private_networks=private)


async def test_an_event_is_posted_and_done(desk: Desk) -> None:
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(receiver.url)
        webhook = await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    [posted] = receiver.posted
    assert posted.body.decode() == webhook.body
    assert posted.id == webhook.event_id
    assert posted.timestamp == str(int(NOON.timestamp()))
    assert posted.signed_with(SECRET)
    assert posted.content_type == "application/json"
    assert (await desk.shown(webhook)).state is WebhookState.DELIVERED


async def test_a_woken_worker_posts_what_came_since(desk: Desk) -> None:
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(receiver.url)
        worker = desk.worker(endpoint)
        await desk.queued(endpoint)

        async with running(worker):
            await desk.queue.settled()
            await desk.queued(endpoint, 2)
            worker.wake([endpoint.id])
            await receiver.until_posted(2)


async def test_a_retry_has_the_same_id_and_a_signature_of_its_own(desk: Desk) -> None:
    failing = web.Response(status=500, text="out of\r\n\x07order")
    async with WebhookReceiver(failing) as receiver:
        endpoint = endpoint_at(receiver.url)
        worker = desk.worker(endpoint)
        webhook = await desk.queued(endpoint)

        async with running(worker):
            await desk.queue.settled()
            kept = await desk.shown(webhook)
            desk.clock.advance(5 * SECOND)
            worker.wake([endpoint.id])
            await desk.queue.settled()

    first, second = receiver.posted
    assert (kept.state, kept.due_at) == (WebhookState.OPEN, NOON + 5 * SECOND)
    assert (kept.status_code, kept.reason) == (500, "Internal Server Error: out of order")
    assert (first.id, first.body) == (second.id, second.body)
    assert int(second.timestamp) - int(first.timestamp) == 5
    assert second.signed_with(SECRET)
    assert first.signatures != second.signatures
    assert (await desk.shown(webhook)).attempts == 2


async def test_during_a_rotation_both_secrets_verify(desk: Desk) -> None:
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(receiver.url, secret=f"{SECRET} {OLD_SECRET}")
        await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            [posted] = await receiver.until_posted()

    assert posted.signed_with(SECRET)
    assert posted.signed_with(OLD_SECRET)


async def test_410_disables_the_endpoint_until_it_is_enabled(desk: Desk) -> None:
    async with WebhookReceiver(web.Response(status=410)) as receiver:
        endpoint = endpoint_at(receiver.url)
        worker = desk.worker(endpoint)
        gone = await desk.queued(endpoint, 1)

        async with running(worker):
            await desk.queue.settled()
            kept = await desk.queued(endpoint, 2)
            worker.wake([endpoint.id])
            [health] = await worker.health()
            await desk.queue.enable_endpoint(endpoint.id)
            worker.wake([endpoint.id])
            await desk.queue.settled()

    assert [posted.id for posted in receiver.posted] == [gone.event_id, kept.event_id]
    assert (await desk.shown(gone)).state is WebhookState.DEAD
    assert not health.ok
    assert not health.required
    assert f"/v1/webhook-endpoints/{endpoint.id}/enable" in health.detail


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(desk: Desk, status: int) -> None:
    async with WebhookReceiver() as elsewhere:
        moved = web.Response(status=status, headers={"Location": elsewhere.url})
        async with WebhookReceiver(moved) as receiver:
            endpoint = endpoint_at(receiver.url)
            webhook = await desk.queued(endpoint)

            async with running(desk.worker(endpoint)):
                await desk.queue.settled()

    shown = await desk.shown(webhook)
    assert elsewhere.posted == []
    assert (shown.state, shown.status_code) == (WebhookState.OPEN, status)
    assert elsewhere.url in shown.reason


async def test_retry_after_is_honoured(desk: Desk) -> None:
    busy = web.Response(status=503, headers={"Retry-After": "120"})
    async with WebhookReceiver(busy) as receiver:
        endpoint = endpoint_at(receiver.url)
        webhook = await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    assert (await desk.shown(webhook)).due_at == NOON + 120 * SECOND


async def test_a_silent_endpoint_holds_back_no_other(desk: Desk) -> None:
    desk.settings = replace(desk.settings, concurrency=2)
    async with WebhookReceiver(*[None] * 2) as silent, WebhookReceiver() as lively:
        dead, alive = endpoint_at(silent.url), endpoint_at(lively.url)
        for number in range(5):
            await desk.queued(dead, number)
            await desk.queued(alive, 10 + number)

        async with running(desk.worker(dead, alive)):
            await lively.until_posted(5)
            await silent.until_posted(2)

    assert len(silent.posted) == 2


async def test_no_answer_in_time_is_a_failure(desk: Desk) -> None:
    desk.settings = replace(desk.settings, timeout=0.05)
    async with WebhookReceiver(None) as receiver:
        endpoint = endpoint_at(receiver.url)
        webhook = await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    shown = await desk.shown(webhook)
    assert (shown.state, shown.status_code) == (WebhookState.OPEN, None)
    assert shown.reason == "no answer within 0.05 s"


async def test_an_answer_without_end_is_not_waited_for(desk: Desk) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=404)
        await response.prepare(request)
        await response.write(b"x" * 1_000_000)
        await request.app[CLOSING].wait()
        return response

    async with WebhookReceiver(endless) as receiver:
        endpoint = endpoint_at(receiver.url)
        webhook = await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    shown = await desk.shown(webhook)
    assert shown.status_code == 404
    assert len(shown.reason) == 200


async def test_a_status_counts_whose_body_never_comes(desk: Desk) -> None:
    desk.settings = replace(desk.settings, timeout=0.2)

    async def mute(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=410)
        await response.prepare(request)
        await request.app[CLOSING].wait()
        return response

    async with WebhookReceiver(mute) as receiver:
        endpoint = endpoint_at(receiver.url)
        await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            assert (await desk.queue.settled()).disables


async def test_a_closed_port_is_a_failure_that_says_so(desk: Desk) -> None:
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(receiver.url)
    webhook = await desk.queued(endpoint)

    async with running(desk.worker(endpoint)):
        await desk.queue.settled()

    shown = await desk.shown(webhook)
    assert (shown.state, shown.status_code) == (WebhookState.OPEN, None)
    assert "refused" in shown.reason.lower() or "connect" in shown.reason.lower()


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1"])
async def test_no_other_notation_leads_to_this_machine(desk: Desk, host: str) -> None:
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(f"http://{host}:{receiver.port}/events", private=False)
        webhook = await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    assert receiver.posted == []
    assert (await desk.shown(webhook)).status_code is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_this_machine_is_not_reached_unless_allowed(desk: Desk, host: str) -> None:
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(f"http://{host}:{receiver.port}/events", private=False)
        webhook = await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    shown = await desk.shown(webhook)
    assert receiver.posted == []
    assert shown.status_code is None
    assert "private_networks = true" in shown.reason


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "0.0.0.0", "224.0.0.1"])
async def test_some_addresses_are_not_reached_even_then(desk: Desk, host: str) -> None:
    endpoint = endpoint_at(f"http://{host}/latest/meta-data")
    webhook = await desk.queued(endpoint)

    async with running(desk.worker(endpoint)):
        await desk.queue.settled()

    assert "nothing is sent to the address" in (await desk.shown(webhook)).reason


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 64 + ".example"])
async def test_a_name_without_address_is_a_failure_like_others(desk: Desk, host: str) -> None:
    endpoint = endpoint_at(f"http://{host}/")
    webhook = await desk.queued(endpoint)

    async with running(desk.worker(endpoint)):
        await desk.queue.settled()

    shown = await desk.shown(webhook)
    assert (shown.state, shown.status_code) == (WebhookState.OPEN, None)
    assert shown.reason


async def test_an_outcome_waits_for_the_database(desk: Desk) -> None:
    desk.queue.outages = 3
    async with WebhookReceiver() as receiver:
        endpoint = endpoint_at(receiver.url)
        webhook = await desk.queued(endpoint)

        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    assert len(receiver.posted) == 1
    assert (await desk.shown(webhook)).state is WebhookState.DELIVERED


async def test_a_stop_waits_for_the_answer_that_is_on_its_way(desk: Desk) -> None:
    desk.settings = replace(desk.settings, grace=timedelta(seconds=5))
    answered = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        await answered.wait()
        return web.Response(status=204)

    async with WebhookReceiver(slow) as receiver:
        endpoint = endpoint_at(receiver.url)
        webhook = await desk.queued(endpoint)

        flow = asyncio.create_task(desk.worker(endpoint).run())
        await receiver.until_posted()
        flow.cancel()
        answered.set()
        await asyncio.wait([flow])

    assert flow.cancelled()
    assert (await desk.shown(webhook)).state is WebhookState.DELIVERED


async def test_what_a_stop_cuts_off_is_sent_again_under_its_id(desk: Desk) -> None:
    async with WebhookReceiver(None) as receiver:
        endpoint = endpoint_at(receiver.url)
        webhook = await desk.queued(endpoint)
        async with running(desk.worker(endpoint)):
            await receiver.until_posted()

        desk.clock.advance(desk.settings.lease)
        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    assert [posted.id for posted in receiver.posted] == [webhook.event_id] * 2
    assert (await desk.shown(webhook)).state is WebhookState.DELIVERED


async def test_attempts_are_counted_by_what_became_of_them(desk: Desk) -> None:
    async with WebhookReceiver(web.Response(status=500)) as receiver:
        endpoint = endpoint_at(receiver.url)
        await desk.queued(endpoint, 1)
        async with running(desk.worker(endpoint)):
            await desk.queue.settled()
            await desk.queued(endpoint, 2)
        async with running(desk.worker(endpoint)):
            await desk.queue.settled()

    value = desk.metrics.registry.get_sample_value
    name = "sip_gateway_webhook_attempts_total"
    counts = {
        result: value(name, {"endpoint": endpoint.id, "result": result})
        for result in ("delivered", "retry", "dead")
    }
    assert counts == {"delivered": 1, "retry": 1, "dead": None}


async def test_without_endpoints_the_worker_has_nothing_to_do(desk: Desk) -> None:
    async with asyncio.timeout(5):
        await desk.worker().run()

    assert await desk.worker().health() == []
