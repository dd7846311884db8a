"""The webhook worker: for each endpoint, lease what is due, post it, settle it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.config import WebhookEndpoint
from gateway.errors import StorageUnavailable
from gateway.metrics import Metrics
from gateway.patience import Patience
from gateway.ports import Clock, Health, WebhookQueue
from gateway.webhook_delivery import WebhookDelivery, WebhookSettlement, WebhookState
from gateway.webhooks.post import TIMEOUT, Post
from gateway.webhooks.schedule import judge

log = logging.getLogger(__name__)

_LONGEST_REST = 30.0
_SHORTEST_REST = 0.05  # what is due may be being leased elsewhere: never spin on it


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookWorkerSettings:
    """How hard the worker works."""

    concurrency: int = 8
    """Of each endpoint, so that a silent one holds back nobody else."""
    timeout: float = TIMEOUT
    lease: timedelta = timedelta(seconds=30)
    """Longer than the timeout."""
    grace: timedelta = timedelta(seconds=2)
    """How long a stopping worker waits for the answers of what is in flight."""
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookParts:
    """What every endpoint's lane works with."""

    queue: WebhookQueue
    clock: Clock
    chance: Callable[[], float]
    metrics: Metrics
    settings: WebhookWorkerSettings


class WebhookWorker:
    """Sends what waits for the configured endpoints."""

    def __init__(self, *, endpoints: Sequence[WebhookEndpoint], parts: WebhookParts) -> None:
        self._queue = parts.queue
        self._lanes = {one.id: Lane(endpoint=one, parts=parts) for one in endpoints}

    def wake(self, endpoints: Iterable[str]) -> None:
        """Something may have become due for these."""
        for endpoint in endpoints:
            self._lanes[endpoint].wake()

    async def run(self) -> None:
        """Until cancelled; then what is in flight has the grace period to be answered.

        What is not is sent again when its lease ends, under the same webhook-id.
        """
        async with asyncio.TaskGroup() as group:
            for endpoint, lane in self._lanes.items():
                group.create_task(lane.run(), name=f"webhooks {endpoint}")

    async def health(self) -> Sequence[Health]:
        """Whether an endpoint is disabled."""
        try:
            disabled = await self._queue.disabled_endpoints()
        except StorageUnavailable:
            return []  # the database says so itself
        return [
            Health(
                f"webhooks {endpoint}",
                ok=endpoint not in disabled,
                detail=(
                    "is gone (410); POST /v1/webhook-endpoints/"
                    f"{endpoint}/enable sends there again"
                    if endpoint in disabled
                    else "enabled"
                ),
                required=False,
            )
            for endpoint in self._lanes
        ]


class Lane:
    """One endpoint's part of the worker."""

    def __init__(self, *, endpoint: WebhookEndpoint, parts: WebhookParts) -> None:
        self._endpoint = endpoint
        self._parts = parts
        self._settings = parts.settings
        self._woken = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        timeout = self._settings.timeout
        async with (
            Post(endpoint=self._endpoint, clock=self._parts.clock, timeout=timeout) as post,
            asyncio.TaskGroup() as group,
        ):
            try:
                while True:
                    self._woken.clear()
                    seconds = await self._start_due(post, group)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(seconds):
                            await self._woken.wait()
            finally:
                if self._running:
                    grace = self._settings.grace.total_seconds()
                    await asyncio.wait(self._running.values(), timeout=grace)

    async def _start_due(self, post: Post, group: asyncio.TaskGroup) -> float:
        """Start an attempt at each that is due; then, the seconds to rest."""
        free = self._settings.concurrency - len(self._running)
        if free <= 0:
            return _LONGEST_REST
        queue, now = self._parts.queue, self._parts.clock()
        try:
            due = await queue.lease_webhooks(self._endpoint.id, now, self._settings.lease, free)
            for delivery in due:
                self._start(delivery, post, group)
            if len(due) == free:
                return _LONGEST_REST
            return _until(await queue.next_webhook(self._endpoint.id), now)
        except StorageUnavailable as exc:
            log.warning("webhooks wait for the database: %s", exc)
            return self._settings.patience.first.total_seconds()

    def _start(self, delivery: WebhookDelivery, post: Post, group: asyncio.TaskGroup) -> None:
        if delivery.id in self._running:
            # Its lease ran out while its outcome waits for the database: not again.
            return
        attempt = group.create_task(self._attempt(delivery, post), name=delivery.id)
        self._running[delivery.id] = attempt
        attempt.add_done_callback(lambda _: self._ended(delivery.id))

    def _ended(self, delivery_id: str) -> None:
        del self._running[delivery_id]
        self._woken.set()

    async def _attempt(self, delivery: WebhookDelivery, post: Post) -> None:
        answer = await post.send(delivery)
        settlement = judge(
            delivery, answer, now=self._parts.clock(), chance=self._parts.chance()
        )
        self._tell(settlement)
        await self._settings.patience.insist(
            f"the outcome of {delivery.id}",
            lambda: self._parts.queue.settle_webhook(settlement),
        )

    def _tell(self, settlement: WebhookSettlement) -> None:
        endpoint, state = self._endpoint.id, settlement.state
        result = "retry" if state is WebhookState.OPEN else state.value
        self._parts.metrics.webhook_attempts.labels(endpoint, result).inc()
        if state is not WebhookState.DELIVERED:
            # What an endpoint answers may repeat what it was told: the store has it, no log.
            log.warning(
                "%s %s to %s: %s",
                settlement.delivery.event_type,
                settlement.delivery.id,
                endpoint,
                settlement.status_code or f"not delivered: {settlement.reason}",
            )
        if settlement.disables:
            log.error("%s is gone (410): nothing is sent there until it is enabled", endpoint)


def _until(due_at: datetime | None, now: datetime) -> float:
    if due_at is None:
        return _LONGEST_REST
    return min(max((due_at - now).total_seconds(), _SHORTEST_REST), _LONGEST_REST)
