"""The message store: the inbox, with the transactional outbox beside it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import ConflictError
from gateway.idempotency import IdempotencyKey, StoredResponse
from gateway.message import (
    Arrival,
    Delivery,
    DeliveryId,
    Message,
    MessageId,
    Settlement,
    Status,
    Submission,
    message_id_text,
)
from gateway.store import lanes, leasing, nodes, queueing, wakeup
from gateway.store.arriving import insert_new
from gateway.store.database import Database
from gateway.store.endings import Endings
from gateway.store.events import EventOutbox
from gateway.store.group_commit import GroupCommit
from gateway.store.rows import message_values, to_message
from gateway.store.tables import OPEN, delivery, message, peer
from gateway.store.turn import Addition, Step, Turn

NOBODY = EventOutbox()


class SqlMessageStore:
    """Inbox and DeliveryQueue on SQL."""

    def __init__(
        self,
        *,
        database: Database,
        events: EventOutbox = NOBODY,
        endings: Endings | None = None,
        accounts: Collection[str] | None = None,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """*accounts* are those whose deliveries may be leased here; None: all.

        *endings* are those of commands, to be committed with the answers to their messages.
        *wake* is called when something is, or will be by the next lease, due.
        """
        self._database = database
        self._accounts = accounts
        self._wake = wake
        self._events = events
        self._endings = endings or Endings()
        turn = Turn(node=database.node, accounts=accounts, events=events, endings=self._endings)
        self._queue: GroupCommit[Step, Any] = GroupCommit(database=database, work=turn.take)
        """Keeps the order of its calls: who is woken by one leases with it, or after it."""

    async def add_inbound(self, arrivals: Sequence[Arrival]) -> Sequence[Message]:
        async def work(connection: AsyncConnection) -> tuple[Sequence[Message], bool]:
            return await _store(connection, arrivals, self._database.node, self._events)

        if not arrivals:
            return []
        stored, due = await self._database.write(work)
        if due:
            self._wake()
        self._events.committed_messages({message.status for message in stored})
        return stored

    async def _tell(self, connection: AsyncConnection) -> None:
        """Let the other nodes know that something is due."""
        await wakeup.tell(connection, self._database.node)

    async def unhandled(self) -> Sequence[Message]:
        own = nodes.answered_by(self._database.node)
        query = select(message).where(message.c.unanswered, own).order_by(message.c.archive_id)

        async def work(connection: AsyncConnection) -> Sequence[Message]:
            await nodes.adopt(connection, self._database.node)
            return [nodes.to_answer(row) for row in await connection.execute(query)]

        return await self._database.write(work)

    async def settle_inbound(
        self, message_id: MessageId, replies: Sequence[Submission]
    ) -> None:
        if replies:
            self._wake()
        await self._queue.submit(queueing.Answer(message_id, replies))
        self._endings.committed(message_id)

    async def add_outbound(
        self,
        submission: Submission,
        *,
        completes: tuple[IdempotencyKey, StoredResponse] | None = None,
    ) -> None:
        """Raises ConflictError, too, when *completes* was completed by another request."""
        self._wake()
        await self._queue.submit(Addition(submission, completes))

    async def lease_due(
        self, now: datetime, lease: timedelta, limit: int, per_destination: int
    ) -> Sequence[Delivery]:
        terms = leasing.Terms(
            now, lease, limit, per_destination, self._database.node, self._accounts
        )

        leased: Sequence[Delivery] = await self._queue.submit(terms)
        return leased

    async def settle(self, settlement: Settlement) -> Status | None:
        self._wake()
        final: Status | None = await self._queue.submit(settlement)
        if final is not None:
            self._events.committed_messages([final])
        return final

    async def release(self, delivery_ids: Sequence[DeliveryId]) -> None:
        async def work(connection: AsyncConnection) -> None:
            await leasing.release(connection, delivery_ids, self._database.node)
            await self._tell(connection)

        await self._database.write(work)

    async def next_due(self, now: datetime) -> datetime | None:
        async def work(connection: AsyncConnection) -> datetime | None:
            return await leasing.next_due(connection, now, self._accounts)

        return await self._database.read(work)

    async def account_returned(self, account: str, now: datetime) -> None:
        async def work(connection: AsyncConnection) -> None:
            await lanes.wake(connection, account, now)
            await self._tell(connection)

        await self._database.write(work)

    async def cancel(self, message_id: MessageId, now: datetime) -> Message | None:
        async def work(connection: AsyncConnection) -> Message | None:
            canceled = await _cancel(connection, message_id, now)
            if canceled is not None:
                await self._events.queue_messages(connection, [canceled])
                await self._tell(connection)
            return canceled

        canceled = await self._database.write(work)
        if canceled is not None:
            self._events.committed_messages([canceled.status])
        return canceled

    async def resend(self, message_id: MessageId, submission: Submission) -> None:
        async def work(connection: AsyncConnection) -> None:
            status = await connection.scalar(
                select(message.c.status).where(message.c.id == message_id)
            )
            if status is None or not Status(status).is_final:
                raise ConflictError(
                    f"message {message_id_text(message_id)} is {status or 'unknown'}, not final"
                )
            await queueing.queue(connection, [submission])
            await self._tell(connection)

        await self._database.write(work)

    async def waiting_for_others(self) -> Mapping[str, int]:
        """How many deliveries wait for a node with another account, by that."""
        if self._accounts is None:
            return {}
        query = (
            select(delivery.c.account, func.count().label("waiting"))
            .where(delivery.c.state == OPEN, delivery.c.account.not_in(self._accounts))
            .group_by(delivery.c.account)
        )

        async def work(connection: AsyncConnection) -> Mapping[str, int]:
            return {row.account: row.waiting for row in await connection.execute(query)}

        return await self._database.read(work)

    async def queue_depth(self) -> int:
        """How many deliveries are still to be made."""
        query = select(func.count()).where(delivery.c.state == OPEN)

        async def work(connection: AsyncConnection) -> int:
            return await connection.scalar(query) or 0

        return await self._database.read(work)


async def _store(
    connection: AsyncConnection, arrivals: Sequence[Arrival], node: str, events: EventOutbox
) -> tuple[list[Message], bool]:
    """What was stored, and whether that made deliveries due."""
    rows = [
        message_values(a.message, unanswered=a.needs_answer) | {"node": node} for a in arrivals
    ]
    new = await insert_new(connection, rows)
    waiting = await _waiting(connection, {a.message.id for a in arrivals} - new, node)
    stored: dict[MessageId, Message] = {}
    for message_id, arrived in ((a.message.id, a.message) for a in arrivals):
        if message_id in new:
            stored.setdefault(message_id, arrived)
        elif message_id in waiting:
            stored[message_id] = waiting[message_id]
    due = await lanes.welcome(connection, [m.peer for m in stored.values() if m.proven])
    if due:
        await wakeup.tell(connection, node)
    await events.queue_messages(connection, [m for m in stored.values() if m.id in new])
    return list(stored.values()), due


async def _waiting(
    connection: AsyncConnection, message_ids: Collection[MessageId], node: str
) -> dict[MessageId, Message]:
    """Those stored by a commit that was not acknowledged, or before a crash, and unanswered.

    What another node took over is its to answer.
    """
    if not message_ids:
        return {}
    query = select(message).where(
        message.c.id.in_(message_ids), message.c.unanswered, nodes.answered_by(node)
    )
    stored = [nodes.to_answer(row) for row in await connection.execute(query)]
    return {item.id: item for item in stored}


async def _cancel(
    connection: AsyncConnection, message_id: MessageId, now: datetime
) -> Message | None:
    found = await connection.execute(select(message.c.peer).where(message.c.id == message_id))
    aor = found.scalar()
    if aor is None:
        return None
    await lanes.lock(connection, [aor])
    row = (await connection.execute(select(message).where(message.c.id == message_id))).one()
    status = Status(row.status)
    if status.is_final:
        raise ConflictError(f"message {message_id_text(message_id)} is {status} already")
    of_message = delivery.c.archive_id == row.archive_id
    await connection.execute(
        update(delivery)
        .where(of_message, delivery.c.state == OPEN)
        .values(state=Status.CANCELED.value)
    )
    canceled = await connection.execute(
        update(message)
        .where(message.c.archive_id == row.archive_id)
        .values(status=Status.CANCELED.value, settled_at=now)
        .returning(message)
    )
    # A lease on it stands until its attempt ends: there is one in flight for a peer.
    await connection.execute(update(peer).where(peer.c.aor == aor).values(held_until=None))
    await lanes.refresh(connection, [aor])
    return to_message(canceled.one())
