"""The calls of MicroSIP, with the events that its hooks told of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Insert, and_, func, insert, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement, Select

from gateway.call import Call, CallDirection, CallEvent, CallOutcome
from gateway.call_log import CallCommit, CallQuery
from gateway.call_record import SAME_TIME, merged, same_call
from gateway.store.columns import storable
from gateway.store.database import Database, insert_into
from gateway.store.events import EventOutbox
from gateway.store.queueing import queue
from gateway.store.rows import AnyRow, Values
from gateway.store.tables import call, call_event
from gateway.store.wakeup import tell

NOBODY = EventOutbox()


class SqlCallLog:
    """CallLog on SQL."""

    def __init__(self, *, database: Database, events: EventOutbox = NOBODY) -> None:
        self._database = database
        self._events = events

    async def store_call(self, commit: CallCommit) -> None:
        async def work(connection: AsyncConnection) -> bool:
            if commit.cause and await _is_stored(connection, commit.cause):
                return False
            number = await _put(connection, commit.call, self._database.node)
            if commit.cause:
                await connection.execute(_insert_event(commit.cause, number))
            await self._events.queue(connection, commit.events)
            if commit.notices:
                await queue(connection, commit.notices)
                await tell(connection, self._database.node)
            return True

        if await self._database.write(work):
            self._events.committed(*(event.type for event in commit.events))

    async def merge_calls(self, calls: Sequence[Call]) -> Sequence[Call]:
        async def work(connection: AsyncConnection) -> Sequence[Call]:
            node = self._database.node
            changed = [await _merge(connection, replace(told, node=node)) for told in calls]
            return [item for item in changed if item is not None]

        return await self._database.write(work)

    async def calls(self, query: CallQuery, *, before: str = "") -> Sequence[Call]:
        wanted = select(call).where(*_conditions(query), *_beyond(before))
        newest = wanted.order_by(call.c.started_at.desc(), call.c.number.desc())

        async def work(connection: AsyncConnection) -> Sequence[Call]:
            return await _read(connection, newest.limit(query.limit))

        return await self._database.read(work)

    async def call(self, call_id: str) -> Call | None:
        async def work(connection: AsyncConnection) -> Call | None:
            found = await _read(connection, select(call).where(call.c.id == storable(call_id)))
            return found[0] if found else None

        return await self._database.read(work)

    async def ongoing(self) -> Sequence[Call]:
        without_end = select(call).where(call.c.ended_at.is_(None), _is_of(self._database.node))

        async def work(connection: AsyncConnection) -> Sequence[Call]:
            return await _read(connection, without_end.order_by(call.c.started_at))

        return await self._database.read(work)


def _is_of(node: str) -> ColumnElement[bool]:
    """Also what is older than nodes: then there was one gateway."""
    return func.coalesce(call.c.node, node) == node


async def _put(connection: AsyncConnection, item: Call, node: str) -> int:
    """Insert it, or replace the one of its id."""
    values = {**_values(item), "node": node}
    if item.record_key:
        taken = select(call.c.id).where(
            call.c.record_key == values["record_key"], call.c.id != item.id, _is_of(node)
        )
        if await connection.scalar(taken) is not None:
            values["record_key"] = None  # the record was taken for another call's before
    added = insert_into(connection, call).values(values)
    replaced = {name: added.excluded[name] for name in values if name != "id"}
    stored = await connection.execute(
        added.on_conflict_do_update(index_elements=[call.c.id], set_=replaced).returning(
            call.c.number
        )
    )
    number: int = stored.scalar_one()
    return number


async def _is_stored(connection: AsyncConnection, event: CallEvent) -> bool:
    query = select(call_event.c.number).where(call_event.c.id == event.id)
    return await connection.scalar(query) is not None


def _insert_event(event: CallEvent, number: int) -> Insert:
    return insert(call_event).values(
        id=event.id, kind=event.kind.value, user=event.user, at=event.at, call=number
    )


async def _merge(connection: AsyncConnection, told: Call) -> Call | None:
    """The call as it is now; None when the record says nothing new."""
    near = and_(
        call.c.record_key.is_(None),
        call.c.started_at.between(told.started_at - SAME_TIME, told.started_at + SAME_TIME),
    )
    same_key = call.c.record_key == told.record_key
    candidates = select(call).where(or_(same_key, near), _is_of(told.node))
    same = same_call(await _read(connection, candidates), told)
    now = merged(same, told) if same else told
    if now == same:
        return None
    await _put(connection, now, told.node)
    return now


async def _read(connection: AsyncConnection, query: Select[AnyRow]) -> list[Call]:
    return [_call(row) for row in await connection.execute(query)]


def _conditions(query: CallQuery) -> Iterator[ColumnElement[bool]]:
    if query.peer:
        yield call.c.peer == query.peer
    if query.direction:
        yield call.c.direction == query.direction.value
    if query.outcome:
        yield call.c.outcome == query.outcome.value
    if query.since:
        yield call.c.started_at >= query.since
    if query.until:
        yield call.c.started_at < query.until


def _beyond(before: str) -> Iterator[ColumnElement[bool]]:
    """Of two that began at the same time, the one that was stored later is the newer."""
    if before:
        last = call.alias()
        place = select(last.c.started_at, last.c.number).where(last.c.id == storable(before))
        yield tuple_(call.c.started_at, call.c.number) < place.scalar_subquery()


def _values(item: Call) -> Values:
    return {
        "id": item.id,
        "direction": item.direction.value,
        "peer": item.peer,
        "name": item.name,
        "started_at": item.started_at,
        "rang_at": item.rang_at,
        "answered_at": item.answered_at,
        "ended_at": item.ended_at,
        "outcome": item.outcome and item.outcome.value,
        "sources": item.sources,
        "record_key": item.record_key or None,
    }


def _call(row: AnyRow) -> Call:
    return Call(
        id=row.id,
        direction=CallDirection(row.direction),
        peer=row.peer,
        name=row.name,
        started_at=row.started_at,
        rang_at=row.rang_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        outcome=CallOutcome(row.outcome) if row.outcome else None,
        sources=row.sources,
        record_key=row.record_key or "",
        node=row.node or "",
    )
