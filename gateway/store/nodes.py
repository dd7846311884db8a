"""The nodes: gateways that share the database, each with a lease on what it received."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Interval,
    Select,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.message import Message
from gateway.ports import Clock
from gateway.store.columns import UtcDateTime
from gateway.store.database import Database, insert_into
from gateway.store.rows import AnyRow, to_message
from gateway.store.tables import message, node, peer

_answerer = func.coalesce(message.c.taken_by, message.c.node)


class SqlNodes:
    """Nodes on SQL."""

    def __init__(
        self, *, database: Database, clock: Clock, accounts: Collection[str] | None = None
    ) -> None:
        """*clock* is this machine's; leases go by it on SQLite only.

        *accounts* are those whose messages can be answered here; None: all.
        """
        self._database = database
        self._accounts = accounts
        self._clock = clock

    async def renew(self, lease: timedelta) -> bool:
        own = self._database.node
        held = select(node.c.id).where(node.c.id == own, node.c.lease_until > self._now())

        async def work(connection: AsyncConnection) -> bool:
            is_held = await connection.scalar(held) is not None
            added = insert_into(connection, node).values(
                id=own, started_at=self._now(), lease_until=self._now(lease)
            )
            anew = {"lease_until": added.excluded.lease_until}
            if not is_held:
                anew["started_at"] = added.excluded.started_at
            await connection.execute(
                added.on_conflict_do_update(index_elements=[node.c.id], set_=anew)
            )
            return is_held

        return await self._database.write(work)

    async def resume(self, now: datetime) -> None:
        own = (
            select(peer.c.aor)
            .where(peer.c.leased_by == self._database.node, peer.c.lease_until > now)
            .order_by(peer.c.aor)
            .with_for_update()  # as gateway.store.lanes takes them, for any number of lanes
            .correlate(None)
        )
        ending = update(peer).where(peer.c.aor.in_(own)).values(lease_until=now)

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(ending)

        await self._database.write(work)

    async def take_over(self) -> Sequence[Message]:
        left, own = self._left(), message.c.taken_by == self._database.node
        taking = (
            update(message)
            # Two that look at the same time never both get one.
            .where(message.c.archive_id.in_(left.with_for_update(skip_locked=True)))
            .values(taken_by=self._database.node)
        )
        taken = select(message).where(message.c.unanswered, own)

        async def find(connection: AsyncConnection) -> bool:
            ours = select(message.c.archive_id).where(message.c.unanswered, own)
            found = [await connection.scalar(query.limit(1)) for query in (left, ours)]
            return found != [None, None]

        async def take(connection: AsyncConnection) -> Sequence[Message]:
            await connection.execute(taking)
            rows = await connection.execute(taken.order_by(message.c.archive_id))
            return [to_answer(row) for row in rows]

        # Most often there is none: no need to queue for the one writer of SQLite.
        return await self._database.write(take) if await self._database.read(find) else []

    async def clock_error(self) -> timedelta:
        if self._database.is_sqlite:
            return timedelta()

        async def ask(connection: AsyncConnection) -> timedelta:
            before = self._clock()
            there: datetime = (await connection.execute(select(self._now()))).scalar_one()
            return before + (self._clock() - before) / 2 - there

        return await self._database.read(ask)

    def _left(self) -> Select[int]:
        """What waits for the answer of a node that has no lease."""
        alive = exists().where(node.c.id == _answerer, node.c.lease_until > self._now())
        left = select(message.c.archive_id).where(
            message.c.unanswered, _answerer != self._database.node, ~alive
        )
        if self._accounts is None:
            return left
        return left.where(message.c.account.in_(self._accounts))

    def _now(self, later: timedelta = timedelta()) -> ColumnElement[datetime]:
        if self._database.is_sqlite:
            return literal(self._clock() + later, UtcDateTime())
        return func.clock_timestamp(type_=DateTime(timezone=True)) + literal(later, Interval())


def answered_by(node_id: str) -> ColumnElement[bool]:
    """Which messages it answers: its own, unless taken from it, and those it took over."""
    return _answerer == node_id


def to_answer(row: AnyRow) -> Message:
    return replace(to_message(row), taken_over=row.taken_by not in {None, row.node})


async def adopt(connection: AsyncConnection, node_id: str) -> None:
    """Take what was received before there were nodes: the first one to start gets it."""
    orphan = update(message).where(message.c.unanswered, message.c.node.is_(None))
    await connection.execute(orphan.values(node=node_id))
