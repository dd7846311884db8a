"""The delivery worker: lease what is due, attempt it, settle it."""

import asyncio
import contextlib
import itertools
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.attempt import Attempts
from gateway.errors import ConflictError, GatewayError, StorageUnavailable
from gateway.message import (
    Delivery,
    DeliveryId,
    Direction,
    Expired,
    Failed,
    FinalResponse,
    Message,
    MessageId,
    Settlement,
    Status,
    Submission,
    message_id_text,
)
from gateway.patience import Patience
from gateway.ports import Archive, Clock, DeliveryQueue
from gateway.query import HistoryQuery
from gateway.retry import SILENT_AFTER

log = logging.getLogger(__name__)

_LONGEST_REST = 30.0  # what another gateway on the same database tells may be missed
_SHORTEST_REST = 0.25  # what is due may be another gateway's to send: never spin on it
_LOOKED_EVERY = 0.5

_LAST_WRITTEN = HistoryQuery(
    direction=Direction.INBOUND, statuses=frozenset({Status.RECEIVED}), limit=1
)

Notice = Callable[[Message, Failed | Expired, Message | None], Submission | None]
"""Composes what the chat sender of a message is told when it will not arrive.

The other message is what that sender wrote last, if anything.
"""


_DEFECT = FinalResponse(500, "the gateway could not send it; its log says why", local=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How hard the worker works."""

    concurrency: int = 64
    """How many attempts are made at a time, beside those without an answer."""
    silent_after: timedelta = SILENT_AFTER
    silent_limit: int = 500
    """How many without an answer for *silent_after* leave their places to others."""
    per_destination: int = 50  # with more in flight UDP peers lose datagrams
    lease: timedelta = timedelta(minutes=2)
    """Longer than a SIP transaction, which ends after 32 s (RFC 3261, section 17.1.2.2)."""
    grace: timedelta = timedelta(seconds=2.5)
    """How long a stopping worker waits for the final responses of what is in flight.

    A lost request or response has been repeated twice by then (RFC 3261, section 17.1.2.2).
    """
    patience: Patience = field(default_factory=Patience)


class DeliveryWorker:
    """Drains the outbox."""

    def __init__(
        self,
        *,
        queue: DeliveryQueue,
        archive: Archive,
        attempts: Attempts,
        notice: Notice,
        clock: Clock,
        woken: asyncio.Event,
        settings: WorkerSettings,
    ) -> None:
        """*woken* is set by whoever made something due."""
        self._queue = queue
        self._archive = archive
        self._attempts = attempts
        self._notice = notice
        self._clock = clock
        self._woken = woken
        self._settings = settings
        self._running: dict[DeliveryId, asyncio.Task[None]] = {}
        self._placed: set[DeliveryId] = set()
        """Those that count: not the silent ones, nor those whose outcome is being stored."""
        self._waiters: defaultdict[MessageId, list[asyncio.Event]] = defaultdict(list)
        self._stopped = False

    def wake(self) -> None:
        """Something may have become due."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled: keep up to *concurrency* attempts running.

        A cancelled worker waits for the final responses of what is in flight, for the
        grace period. What is unanswered then is left to its lease: it may have arrived,
        so it is due again when the lease ends, and marked as resent. Whoever waits for a
        final status is let go.
        """
        async with asyncio.TaskGroup() as group:
            try:
                quiet = False
                while True:
                    self._woken.clear()
                    seconds = await self._start_due(group, quiet=quiet)
                    quiet = not await _comes(self._woken, seconds)
            finally:
                await self._finish()

    async def wait_final(self, message_id: MessageId, seconds: float) -> Message | None:
        """The message once its status is final; None when it is not within *seconds*.

        None, too, as soon as the worker has stopped.
        """
        settled = asyncio.Event()
        self._waiters[message_id].append(settled)
        try:
            async with asyncio.timeout(seconds):
                return await self._until_final(message_id, settled)
        except (TimeoutError, StorageUnavailable):
            return None
        finally:
            self._waiters[message_id].remove(settled)
            if not self._waiters[message_id]:
                del self._waiters[message_id]

    async def _until_final(
        self, message_id: MessageId, settled: asyncio.Event
    ) -> Message | None:
        """Looked for as well: another gateway on the same database may settle it."""
        while True:
            found = await self._archive.get(message_id)
            if found is not None and found.message.status.is_final:
                return found.message
            if self._stopped:
                return None
            await _comes(settled, _LOOKED_EVERY)
            settled.clear()

    async def _start_due(self, group: asyncio.TaskGroup, *, quiet: bool) -> float:
        """Start an attempt for each delivery that is due; then, the seconds to rest.

        *quiet*: nobody woke the worker, so that it is time to ask what is due next.
        """
        free = self._settings.concurrency - len(self._placed)
        if free <= 0:
            return _LONGEST_REST
        try:
            leased = await self._lease(free)
            for delivery in leased:
                self._start(delivery, group)
            if len(leased) == free:
                return _LONGEST_REST
            if self._placed or not quiet:  # more may come; outcomes wake
                return _SHORTEST_REST
            return self._until(await self._queue.next_due(self._clock()))
        except StorageUnavailable as exc:
            log.warning("deliveries wait for the database: %s", exc)
            return self._settings.patience.first.total_seconds()

    async def _lease(self, limit: int) -> Sequence[Delivery]:
        settings = self._settings
        leasing = asyncio.create_task(
            self._queue.lease_due(
                self._clock(), settings.lease, limit, settings.per_destination
            ),
            name="lease",
        )
        try:
            return await asyncio.shield(leasing)
        except asyncio.CancelledError:
            # The transaction goes on, but nobody will attempt what it leases.
            with contextlib.suppress(StorageUnavailable):
                await self._queue.release([delivery.id for delivery in await leasing])
            raise

    def _start(self, delivery: Delivery, group: asyncio.TaskGroup) -> None:
        if delivery.id in self._running:
            # Its lease ran out while its outcome waits for the database: not again.
            return
        attempt = group.create_task(self._attempt(delivery), name=f"deliver {delivery.label}")
        self._running[delivery.id] = attempt
        self._placed.add(delivery.id)
        attempt.add_done_callback(lambda _: self._ended(delivery.id))
        seconds = self._settings.silent_after.total_seconds()
        asyncio.get_running_loop().call_later(seconds, self._give_place, delivery.id, attempt)

    def _give_place(self, delivery_id: DeliveryId, attempt: asyncio.Task[None]) -> None:
        if (
            self._running.get(delivery_id) is attempt
            and len(self._running) - len(self._placed) < self._settings.silent_limit
        ):
            self._placed.discard(delivery_id)
            self._woken.set()

    def _ended(self, delivery_id: DeliveryId) -> None:
        del self._running[delivery_id]
        self._placed.discard(delivery_id)

    async def _attempt(self, delivery: Delivery) -> None:
        settlement = await self._made(delivery)
        self._placed.discard(delivery.id)
        try:
            final = await self._settings.patience.insist(
                f"the outcome of {delivery.label}", lambda: self._settle(settlement)
            )
        except ConflictError as exc:
            # The database went away after a commit that was not acknowledged any more.
            log.warning("the outcome of %s is stored already: %s", delivery.label, exc)
            return
        if final is not None:
            for settled in self._waiters.get(delivery.message_id, ()):
                settled.set()

    async def _made(self, delivery: Delivery) -> Settlement:
        try:
            return await self._attempts.make(delivery)
        except Exception:  # a defect must not end all others, at every restart again
            log.exception("%s cannot be attempted", delivery.label)
            return Settlement(
                delivery=delivery, outcome=Failed(_DEFECT), at=self._clock(), sent=False
            )

    async def _settle(self, settlement: Settlement) -> Status | None:
        """Once, with the notice to the message's sender in the same transaction."""
        outcome = settlement.outcome
        if isinstance(outcome, Failed | Expired):
            found = await self._archive.get(settlement.delivery.message_id)
            if found is not None and not found.message.status.is_final:
                notice = await self._told(found.message, outcome)
                settlement = replace(settlement, notices=(notice,) if notice else ())
        return await self._queue.settle(settlement)

    async def _told(self, message: Message, outcome: Failed | Expired) -> Submission | None:
        if message.asker is None:
            return None
        written = await self._archive.find(_LAST_WRITTEN, within=message.asker)
        heard = written.items[0].message if written.items else None
        try:
            return self._notice(message, outcome, heard)
        except GatewayError as exc:
            log.warning("nobody is told of %s: %s", message_id_text(message.id), exc)
            return None

    async def _finish(self) -> None:
        if self._running:
            await asyncio.wait(
                self._running.values(), timeout=self._settings.grace.total_seconds()
            )
        self._stopped = True
        for settled in itertools.chain.from_iterable(self._waiters.values()):
            settled.set()
        for attempt in self._running.values():
            log.warning("stopped before the final response: %s", attempt.get_name())

    def _until(self, due_at: datetime | None) -> float:
        if due_at is None:
            return _LONGEST_REST
        seconds = (due_at - self._clock()).total_seconds()
        return min(max(seconds, _SHORTEST_REST), _LONGEST_REST)


async def _comes(event: asyncio.Event, seconds: float) -> bool:
    """Whether it came; returns after *seconds* at the latest."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
