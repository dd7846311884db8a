"""A desk where events are queued by hand, for endpoints on real HTTP servers."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from gateway.config import WebhookEndpoint
from gateway.errors import StorageUnavailable
from gateway.events import Event, EventType
from gateway.metrics import Metrics
from gateway.store.database import Database
from gateway.store.webhooks import SqlWebhookQueue
from gateway.webhook_delivery import WebhookDelivery, WebhookSettlement
from gateway.webhooks.worker import WebhookParts, WebhookWorker, WebhookWorkerSettings
from tests.fakes import FakeClock
from tests.flow.stage import AT_ONCE
from tests.webhook_receiver import SECRET


class ObservedQueue(SqlWebhookQueue):
    """The queue, telling what is settled; away as often as a test says."""

    def __init__(self, *, database: Database) -> None:
        super().__init__(database=database)
        self.settlements: asyncio.Queue[WebhookSettlement] = asyncio.Queue()
        self.outages = 0
        self.lease_outages = 0
        self.back = asyncio.Event()
        self.back.set()
        """Cleared: an outcome waits for the database."""

    async def lease_webhooks(
        self, endpoint: str, now: datetime, lease: timedelta, limit: int
    ) -> Sequence[WebhookDelivery]:
        if self.lease_outages:
            self.lease_outages -= 1
            raise StorageUnavailable("the database is away")
        return await super().lease_webhooks(endpoint, now, lease, limit)

    async def disabled_endpoints(self) -> Mapping[str, datetime]:
        if self.outages:
            raise StorageUnavailable("the database is away")
        return await super().disabled_endpoints()

    async def settle_webhook(self, settlement: WebhookSettlement) -> None:
        if self.outages:
            self.outages -= 1
            raise StorageUnavailable("the database is away")
        await self.back.wait()
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
