"""Inbound webhooks, kept as they came."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.hook_delivery import HookDelivery, HookEntry, HookReceipt
from gateway.message import MessageId, Submission
from gateway.store.columns import digest
from gateway.store.database import Database, insert_into
from gateway.store.queueing import queue
from gateway.store.rows import AnyRow
from gateway.store.tables import hook_delivery
from gateway.store.wakeup import tell


class SqlHookLog:
    """HookLog on SQL."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def add_hook(
        self, delivery: HookDelivery, submissions: Sequence[Submission]
    ) -> HookReceipt:
        message_ids = tuple(submission.message.id for submission in submissions)

        async def work(connection: AsyncConnection) -> HookReceipt:
            if not await _insert(connection, delivery, message_ids):
                return await _first(connection, delivery)
            await queue(connection, submissions)
            await tell(connection, self._database.node)
            return HookReceipt(delivery.id, message_ids, duplicate=False)

        return await self._database.write(work)

    async def hook_delivery(self, delivery_id: str) -> HookDelivery | None:
        query = select(hook_delivery).where(hook_delivery.c.id == delivery_id)

        async def work(connection: AsyncConnection) -> HookDelivery | None:
            row = (await connection.execute(query)).one_or_none()
            return None if row is None else _to_delivery(row)

        return await self._database.read(work)

    async def hook_deliveries(self, limit: int, *, before: str = "") -> Sequence[HookEntry]:
        query = select(
            hook_delivery.c.id,
            hook_delivery.c.source,
            hook_delivery.c.received_at,
            hook_delivery.c.content_type,
            func.length(hook_delivery.c.body).label("size"),
            hook_delivery.c.message_ids,
        )
        if before:
            last = select(hook_delivery.c.number).where(hook_delivery.c.id == before)
            query = query.where(hook_delivery.c.number < last.scalar_subquery())
        query = query.order_by(hook_delivery.c.number.desc()).limit(limit)

        async def work(connection: AsyncConnection) -> Sequence[HookEntry]:
            return [_to_entry(row) for row in await connection.execute(query)]

        return await self._database.read(work)


def _to_delivery(row: AnyRow) -> HookDelivery:
    return HookDelivery(
        id=row.id,
        source=row.source,
        duplicate_key=row.duplicate_key,
        received_at=row.received_at,
        content_type=row.content_type,
        body=row.body,
        headers=tuple((name, value) for name, value in row.headers),
    )


def _to_entry(row: AnyRow) -> HookEntry:
    return HookEntry(
        id=row.id,
        source=row.source,
        received_at=row.received_at,
        content_type=row.content_type,
        size=row.size,
        message_ids=_message_ids(row),
    )


def _message_ids(row: AnyRow) -> tuple[MessageId, ...]:
    return tuple(MessageId(UUID(text)) for text in row.message_ids)


def _unique_key(delivery: HookDelivery) -> bytes | None:
    if not delivery.duplicate_key:
        return None
    return digest(delivery.source, delivery.duplicate_key)


async def _insert(
    connection: AsyncConnection, delivery: HookDelivery, message_ids: Sequence[MessageId]
) -> bool:
    insert = insert_into(connection, hook_delivery).values(
        id=delivery.id,
        source=delivery.source,
        duplicate_key=delivery.duplicate_key,
        unique_key=_unique_key(delivery),
        received_at=delivery.received_at,
        content_type=delivery.content_type,
        headers=[list(header) for header in delivery.headers],
        body=delivery.body,
        message_ids=[str(message_id) for message_id in message_ids],
    )
    added = await connection.execute(
        insert.on_conflict_do_nothing().returning(hook_delivery.c.number)
    )
    return added.first() is not None


async def _first(connection: AsyncConnection, delivery: HookDelivery) -> HookReceipt:
    query = select(hook_delivery.c.id, hook_delivery.c.message_ids).where(
        or_(
            hook_delivery.c.unique_key == _unique_key(delivery),
            hook_delivery.c.id == delivery.id,
        )
    )
    row = (await connection.execute(query.limit(1))).one()
    return HookReceipt(row.id, _message_ids(row), duplicate=True)
