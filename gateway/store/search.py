"""The message history, searched."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Text,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.address import Aor
from gateway.archive import Archived, Conversation, Page, Place
from gateway.message import Attempt, Direction, MessageId
from gateway.query import MAX_PAGE, HistoryQuery
from gateway.store.columns import storable
from gateway.store.database import Database
from gateway.store.prepared import PreparedQuery
from gateway.store.rows import folded, to_archived, to_attempt
from gateway.store.tables import attempt, delivery, message

Condition = ColumnElement[bool]

_HIGHEST_ID = 2**63 - 1

# Built once: it is asked before each command.
_LAST = (
    select(message.c.direction, message.c.created_at, message.c.text)
    # Not what came later: to answer may take longer than a peer needs to write much.
    .where(message.c.peer == bindparam("with_peer"), message.c.created_at < bindparam("until"))
    .order_by(message.c.archive_id.desc())
    .limit(bindparam("among"))
    .subquery()
)
_TOLD = PreparedQuery(
    select(_LAST.c.text).where(
        _LAST.c.direction == Direction.OUTBOUND.value,
        _LAST.c.created_at >= bindparam("since"),
    )
)


class SqlArchive:
    """Archive on SQL.

    Words are looked for in a casefolded copy of the text, so that case does not matter in
    any script, on either database. Of the peers, senders, recipients or statuses asked
    for one must match; of the words and tags all must.
    """

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def find(
        self,
        query: HistoryQuery,
        *,
        within: Aor | None = None,
        place: Place | None = None,
        oldest_first: bool = False,
    ) -> Page:
        conditions = list(_conditions(query))
        if within is not None:
            conditions.append(message.c.peer == within)
        keyset = _Keyset(message.c.archive_id, place, oldest_first)
        limit = _at_most(query.limit)

        async def work(connection: AsyncConnection) -> Page:
            found = select(message).where(*conditions, *keyset.beyond)
            rows = (
                await connection.execute(found.order_by(keyset.order).limit(limit + 1))
            ).all()
            behind = False
            if place is not None:
                rest = exists().where(*conditions, keyset.before)
                behind = bool(await connection.scalar(select(rest)))
            return keyset.page([to_archived(row) for row in rows], limit, behind=behind)

        return await self._database.read(work)

    async def get(self, message_id: MessageId) -> Archived | None:
        query = select(message).where(message.c.id == message_id)

        async def work(connection: AsyncConnection) -> Archived | None:
            row = (await connection.execute(query)).one_or_none()
            return None if row is None else to_archived(row)

        return await self._database.read(work)

    async def told(
        self, peer: Aor, since: datetime, until: datetime, among: int
    ) -> Sequence[str]:
        """By the peer's index: a day's thousands of messages are not gone through."""
        limits = {"with_peer": peer, "since": since, "until": until, "among": among}

        async def work(connection: AsyncConnection) -> Sequence[str]:
            return [row.text for row in await _TOLD.rows(connection, limits)]

        return await self._database.read(work)

    async def attempts(self, message_id: MessageId) -> Sequence[Attempt]:
        query = (
            select(attempt, delivery.c.id.label("delivery_id"), delivery.c.part)
            .join(delivery, delivery.c.number == attempt.c.delivery)
            .join(message, message.c.archive_id == delivery.c.archive_id)
            .where(message.c.id == message_id)
            .order_by(attempt.c.number)
        )

        async def work(connection: AsyncConnection) -> Sequence[Attempt]:
            return [to_attempt(row) for row in await connection.execute(query)]

        return await self._database.read(work)

    async def conversations(
        self, limit: int, *, place: Place | None = None
    ) -> tuple[Sequence[Conversation], bool]:
        """*place* is that of a conversation's last message."""
        last = func.max(message.c.archive_id)
        keyset = _Keyset(last, place, oldest_first=False)
        limit = _at_most(limit)
        threads = (
            select(message.c.peer, func.count().label("messages"), last.label("last"))
            .group_by(message.c.peer)
            .having(and_(True, *keyset.beyond))
            .order_by(keyset.order)
            .limit(limit + 1)
            .subquery()
        )
        query = select(message, threads.c.messages).join(
            threads, threads.c.last == message.c.archive_id
        )

        async def work(connection: AsyncConnection) -> tuple[Sequence[Conversation], bool]:
            found = [
                Conversation(peer=Aor(row.peer), messages=row.messages, last=to_archived(row))
                for row in await connection.execute(query)
            ]
            found.sort(key=lambda item: item.last.archive_id, reverse=not keyset.rising)
            more, found = len(found) > limit, found[:limit]
            return sorted(found, key=lambda item: -item.last.archive_id), more

        return await self._database.read(work)


@dataclass(frozen=True, slots=True)
class _Keyset:
    """A walk over rising ids from a place: no row is skipped when others come in."""

    column: ColumnElement[int]
    place: Place | None
    oldest_first: bool

    @property
    def backwards(self) -> bool:
        return self.place is not None and self.place.backwards

    @property
    def rising(self) -> bool:
        """Whether the walk, rather than the order asked for, is towards the newest."""
        return self.oldest_first is not self.backwards

    @property
    def order(self) -> ColumnElement[int]:
        return self.column.asc() if self.rising else self.column.desc()

    @property
    def start(self) -> int:
        assert self.place is not None
        return max(0, min(self.place.archive_id, _HIGHEST_ID))

    @property
    def beyond(self) -> tuple[Condition, ...]:
        if self.place is None:
            return ()
        return (self.column > self.start if self.rising else self.column < self.start,)

    @property
    def before(self) -> Condition:
        return self.column <= self.start if self.rising else self.column >= self.start

    def page(self, walked: Sequence[Archived], limit: int, *, behind: bool) -> Page:
        more, items = len(walked) > limit, tuple(walked[:limit])
        if self.backwards:
            return Page(items=items[::-1], has_next=behind, has_previous=more)
        return Page(items=items, has_next=more, has_previous=behind)


def _at_most(limit: int) -> int:
    return max(1, min(limit, MAX_PAGE))


def _conditions(query: HistoryQuery) -> Iterator[Condition]:
    for word in query.words:
        yield message.c.folded.contains(folded(word), autoescape=True)
    for word in query.excluded:
        yield message.c.folded.not_like(f"%{_escaped(folded(word))}%", escape="/")
    for tag in query.tags:
        yield type_coerce(message.c.tags, Text).like(
            f"%\n{_escaped(storable(tag))}\n%", escape="/"
        )
    yield from _parties(query)
    if query.direction is not None:
        yield message.c.direction == query.direction.value
    if query.statuses:
        yield message.c.status.in_([status.value for status in query.statuses])
    if query.since is not None:
        yield message.c.created_at >= query.since
    if query.until is not None:
        yield message.c.created_at < query.until


def _parties(query: HistoryQuery) -> Iterator[Condition]:
    inbound = message.c.direction == Direction.INBOUND.value
    outbound = message.c.direction == Direction.OUTBOUND.value
    peer = message.c.peer
    if query.peers:
        yield or_(*(_named(peer, name) for name in query.peers))
    if query.senders:
        yield or_(
            and_(inbound, or_(*(_named(peer, name) for name in query.senders))),
            and_(outbound, or_(*(_named(message.c.from_uri, n) for n in query.senders))),
        )
    if query.recipients:
        yield or_(
            and_(outbound, or_(*(_named(peer, name) for name in query.recipients))),
            and_(inbound, or_(*(_named(message.c.to_uri, n) for n in query.recipients))),
        )


def _named(column: Column[Any], name: str) -> Condition:
    """Whether the URI in *column* is *name*: an AOR, or a user part at any host."""
    name = storable(name)
    if name.startswith(("sip:", "sips:")):
        return or_(column == name, column.like(f"{_escaped(name)};%", escape="/"))
    return column.like(f"sip%:{_escaped(name)}@%", escape="/")


def _escaped(text: str) -> str:
    return text.replace("/", "//").replace("%", "/%").replace("_", "/_")
