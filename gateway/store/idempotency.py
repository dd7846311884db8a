"""Idempotency keys with the responses they were answered with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, delete, literal_column, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.idempotency import Claim, IdempotencyKey, StoredResponse
from gateway.store import queueing
from gateway.store.database import Database
from gateway.store.group_commit import GroupCommit
from gateway.store.prepared import Prepared, PreparedQuery
from gateway.store.tables import idempotency

_KEPT = timedelta(days=7)
_CLAIM_LASTS = timedelta(minutes=1)
_FORGET = Prepared(
    delete(idempotency).where(
        or_(
            idempotency.c.claimed_at <= bindparam("kept_since"),
            and_(
                idempotency.c.claimed_at <= bindparam("claimed_since"),
                idempotency.c.status.is_(None),
            ),
        )
    )
)
_ADD_ON_SQLITE = Prepared(sqlite.insert(idempotency).on_conflict_do_nothing())
_NEWEST = PreparedQuery(  # there is no other writer: they are those just added
    select(idempotency.c.scope, idempotency.c.key)
    .order_by(literal_column("rowid").desc())
    .limit(bindparam("stored"))
)
_ADD_ON_POSTGRESQL = (
    postgresql.insert(idempotency)
    .on_conflict_do_nothing()
    .returning(idempotency.c.scope, idempotency.c.key)
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A request that wants its key."""

    key: IdempotencyKey
    fingerprint: str
    now: datetime


class SqlIdempotency:
    """Idempotency on SQL.

    A claim not completed within a minute was cut off by a crash: the next request takes
    the key over. Should the first live yet, its message is not queued, since a key is
    completed once (see gateway.store.queueing).
    """

    def __init__(self, *, database: Database) -> None:
        self._database = database
        self._claiming = GroupCommit(database=database, work=_claim)

    async def claim(
        self, key: IdempotencyKey, fingerprint: str, now: datetime
    ) -> Claim | StoredResponse:
        return await self._claiming.submit(_Wanted(key, fingerprint, now))

    async def complete(self, key: IdempotencyKey, response: StoredResponse) -> None:
        """Raises ConflictError when the key is not claimed, or was completed."""

        async def work(connection: AsyncConnection) -> None:
            await queueing.complete(connection, [(key, response)])

        await self._database.write(work)

    async def abandon(self, key: IdempotencyKey) -> None:
        statement = delete(idempotency).where(
            _is(key),
            idempotency.c.status.is_(None),  # a response that was given stands
        )

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(statement)

        await self._database.write(work)


def _is(key: IdempotencyKey) -> ColumnElement[bool]:
    return and_(idempotency.c.scope == key.scope, idempotency.c.key == key.key)


async def _claim(
    connection: AsyncConnection, items: Sequence[_Wanted]
) -> Sequence[Claim | StoredResponse]:
    """For each, what became of its key; of two that want the same, the first gets it."""
    await _forget(connection, max(item.now for item in items))
    free = await _add(connection, items)
    claims: list[Claim | StoredResponse] = []
    for item in items:
        if item.key in free:
            free.remove(item.key)
            claims.append(Claim.CLAIMED)
        else:
            claims.append(await _standing(connection, item))
    return claims


async def _add(connection: AsyncConnection, items: Sequence[_Wanted]) -> set[IdempotencyKey]:
    """The keys that were free, and are claimed now."""
    rows = [
        {
            "scope": item.key.scope,
            "key": item.key.key,
            "fingerprint": item.fingerprint,
            "claimed_at": item.now,
        }
        for item in sorted(items, key=_in_one_order)
    ]
    if connection.dialect.name == "sqlite":
        stored = await _ADD_ON_SQLITE.run(connection, rows)
        added = await _NEWEST.rows(connection, {"stored": stored})
    else:
        added = (await connection.execute(_ADD_ON_POSTGRESQL, rows)).all()
    return {IdempotencyKey(row.scope, row.key) for row in added}


def _in_one_order(item: _Wanted) -> tuple[str, str]:
    """For all, so that two nodes never wait for each other."""
    return item.key.scope, item.key.key


async def _forget(connection: AsyncConnection, now: datetime) -> None:
    """Drop what is too old, so that its key means nothing again."""
    since = {"kept_since": now - _KEPT, "claimed_since": now - _CLAIM_LASTS}
    await _FORGET.run(connection, [since])


async def _standing(connection: AsyncConnection, item: _Wanted) -> Claim | StoredResponse:
    row = (await connection.execute(select(idempotency).where(_is(item.key)))).one()
    if row.fingerprint != item.fingerprint:
        return Claim.MISMATCH
    if row.status is None:
        return Claim.IN_PROGRESS
    return StoredResponse(row.status, row.body, row.location)
