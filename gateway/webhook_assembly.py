"""Outbound webhooks, put together."""

import random
from dataclasses import dataclass

from gateway.clock import now
from gateway.config import Webhooks
from gateway.metrics import Metrics
from gateway.store.database import Database
from gateway.store.events import EventOutbox
from gateway.store.webhooks import SqlWebhookQueue
from gateway.web.webhooks import WebhookEndpoints
from gateway.webhooks.worker import WebhookParts, WebhookWorker, WebhookWorkerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundWebhooks:
    """From what happened to what was answered."""

    events: EventOutbox
    queue: SqlWebhookQueue
    worker: WebhookWorker
    endpoints: WebhookEndpoints

    @classmethod
    def on(cls, database: Database, settings: Webhooks, metrics: Metrics) -> "OutboundWebhooks":
        queue = SqlWebhookQueue(database=database)
        worker = WebhookWorker(
            endpoints=settings.endpoints,
            parts=WebhookParts(
                queue=queue,
                clock=now,
                chance=random.random,
                metrics=metrics,
                settings=WebhookWorkerSettings(),
            ),
        )
        return cls(
            events=EventOutbox(subscriptions=settings.subscriptions, wake=worker.wake),
            queue=queue,
            worker=worker,
            endpoints=WebhookEndpoints(
                endpoints=settings.endpoints, queue=queue, wake=worker.wake, clock=now
            ),
        )
