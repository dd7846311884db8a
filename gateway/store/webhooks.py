"""Outbound webhooks: a queue for each endpoint.

A lease is a later due_at: what is never settled is due again when the lease ends.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, func, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import ConflictError
from gateway.events import Event
from gateway.store.database import Database, insert_into
from gateway.store.events import store_deliveries, store_events
from gateway.store.group_commit import GroupCommit
from gateway.store.rows import AnyRow
from gateway.store.tables import OPEN, event, webhook_delivery, webhook_endpoint
from gateway.webhook_delivery import WebhookDelivery, WebhookSettlement, WebhookState

_JOINED = select(
    webhook_delivery,
    event.c.id.label("event_id"),
    event.c.type.label("event_type"),
    event.c.body,
).join(event, event.c.number == webhook_delivery.c.event)


class SqlWebhookQueue:
    """WebhookQueue on SQL."""

    def __init__(self, *, database: Database) -> None:
        self._database = database
        self._settling = GroupCommit(database=database, work=_settle)

    async def lease_webhooks(
        self, endpoint: str, now: datetime, lease: timedelta, limit: int
    ) -> Sequence[WebhookDelivery]:
        due = (
            _sendable(_JOINED, endpoint)
            .where(webhook_delivery.c.due_at <= now)
            .order_by(webhook_delivery.c.due_at)
            .limit(limit)
            .with_for_update(of=webhook_delivery, skip_locked=True)
        )

        async def work(connection: AsyncConnection) -> Sequence[WebhookDelivery]:
            rows = (await connection.execute(due)).all()
            await connection.execute(
                update(webhook_delivery)
                .where(webhook_delivery.c.number.in_([row.number for row in rows]))
                .values(due_at=now + lease)
            )
            return [_to_webhook(row) for row in rows]

        # Most often there is none: no need to queue for the one writer of SQLite.
        next_due = await self.next_webhook(endpoint)
        if next_due is None or next_due > now:
            return []
        return await self._database.write(work)

    async def next_webhook(self, endpoint: str) -> datetime | None:
        query = _sendable(select(webhook_delivery.c.due_at), endpoint)
        query = query.order_by(webhook_delivery.c.due_at).limit(1)

        async def work(connection: AsyncConnection) -> datetime | None:
            first: datetime | None = await connection.scalar(query)
            return first

        return await self._database.read(work)

    async def settle_webhook(self, settlement: WebhookSettlement) -> None:
        await self._settling.submit(settlement)

    async def add_webhook(self, event: Event, endpoint: str) -> WebhookDelivery:
        async def work(connection: AsyncConnection) -> WebhookDelivery:
            numbers = await store_events(connection, [event])
            await store_deliveries(connection, [(endpoint, numbers[event.id], event.at)])
            added = _JOINED.where(webhook_delivery.c.event == numbers[event.id])
            return _to_webhook((await connection.execute(added)).one())

        return await self._database.write(work)

    async def webhooks(
        self, endpoint: str, limit: int, *, before: str = "", state: WebhookState | None = None
    ) -> Sequence[WebhookDelivery]:
        query = _JOINED.where(webhook_delivery.c.endpoint == endpoint)
        if state is not None:
            query = query.where(webhook_delivery.c.state == state.value)
        if before:
            last = select(webhook_delivery.c.number).where(webhook_delivery.c.id == before)
            query = query.where(webhook_delivery.c.number < last.scalar_subquery())
        query = query.order_by(webhook_delivery.c.number.desc()).limit(limit)

        async def work(connection: AsyncConnection) -> Sequence[WebhookDelivery]:
            return [_to_webhook(row) for row in await connection.execute(query)]

        return await self._database.read(work)

    async def replay_webhook(self, webhook_id: str, now: datetime) -> WebhookDelivery | None:
        one = _JOINED.where(webhook_delivery.c.id == webhook_id)

        async def work(connection: AsyncConnection) -> WebhookDelivery | None:
            replayed = await connection.execute(
                update(webhook_delivery)
                .where(webhook_delivery.c.id == webhook_id, webhook_delivery.c.state != OPEN)
                .values(state=OPEN, attempts=0, due_at=now, settled_at=null())
            )
            row = (await connection.execute(one)).one_or_none()
            if row is None:
                return None
            if not replayed.rowcount:
                raise ConflictError(f"webhook {webhook_id} is open: it is on its way already")
            return _to_webhook(row)

        return await self._database.write(work)

    async def disabled_endpoints(self) -> Mapping[str, datetime]:
        query = select(webhook_endpoint).where(webhook_endpoint.c.disabled_at.is_not(null()))

        async def work(connection: AsyncConnection) -> Mapping[str, datetime]:
            return {row.id: row.disabled_at for row in await connection.execute(query)}

        return await self._database.read(work)

    async def enable_endpoint(self, endpoint: str) -> None:
        enabling = (
            update(webhook_endpoint)
            .where(webhook_endpoint.c.id == endpoint)
            .values(disabled_at=null())
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(enabling)

        await self._database.write(work)

    async def webhooks_waiting(self) -> Mapping[str, int]:
        """How many are open, by endpoint."""
        query = (
            select(webhook_delivery.c.endpoint, func.count().label("waiting"))
            .where(webhook_delivery.c.state == OPEN)
            .group_by(webhook_delivery.c.endpoint)
        )

        async def work(connection: AsyncConnection) -> Mapping[str, int]:
            return {row.endpoint: row.waiting for row in await connection.execute(query)}

        return await self._database.read(work)


def _sendable(query: Select[*tuple[Any, ...]], endpoint: str) -> Select[*tuple[Any, ...]]:
    """The open ones of *endpoint*, unless it is disabled."""
    disabled = select(webhook_endpoint.c.id).where(
        webhook_endpoint.c.id == endpoint, webhook_endpoint.c.disabled_at.is_not(null())
    )
    return query.where(
        webhook_delivery.c.endpoint == endpoint,
        webhook_delivery.c.state == OPEN,
        ~disabled.exists(),
    )


async def _settle(
    connection: AsyncConnection, settlements: Sequence[WebhookSettlement]
) -> Sequence[None]:
    await connection.execute(
        update(webhook_delivery)
        .where(webhook_delivery.c.id == bindparam("which"), webhook_delivery.c.state == OPEN)
        .values(
            state=bindparam("becomes"),
            attempts=webhook_delivery.c.attempts + 1,
            due_at=bindparam("next", type_=webhook_delivery.c.due_at.type),
            status_code=bindparam("code"),
            reason=bindparam("why"),
            settled_at=bindparam("since", type_=webhook_delivery.c.settled_at.type),
        ),
        [
            {
                "which": item.delivery.id,
                "becomes": item.state.value,
                "next": item.due_at,
                "code": item.status_code,
                "why": item.reason,
                "since": None if item.state is WebhookState.OPEN else item.at,
            }
            for item in settlements
        ],
    )
    for item in settlements:
        if item.disables:
            await _disable(connection, item)
    return [None] * len(settlements)


async def _disable(connection: AsyncConnection, settlement: WebhookSettlement) -> None:
    row = {"id": settlement.delivery.endpoint, "disabled_at": settlement.at}
    insert = insert_into(connection, webhook_endpoint).values(row)
    await connection.execute(
        insert.on_conflict_do_update(
            index_elements=[webhook_endpoint.c.id],
            set_={"disabled_at": insert.excluded.disabled_at},
        )
    )


def _to_webhook(row: AnyRow) -> WebhookDelivery:
    return WebhookDelivery(
        id=row.id,
        endpoint=row.endpoint,
        event_id=row.event_id,
        event_type=row.event_type,
        body=row.body,
        state=WebhookState(row.state),
        attempts=row.attempts,
        due_at=row.due_at,
        created_at=row.created_at,
        settled_at=row.settled_at,
        status_code=row.status_code,
        reason=row.reason,
    )
