"""Idempotency keys with the responses they were answered with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.idempotency import Claim, IdempotencyKey, StoredResponse
from gateway.store import queueing
from gateway.store.database import Database, insert_into
from gateway.store.group_commit import GroupCommit
from gateway.store.tables import idempotency

_KEPT = timedelta(days=7)
_CLAIM_LASTS = timedelta(minutes=1)


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
    insert = insert_into(connection, idempotency).on_conflict_do_nothing()
    rows = await connection.execute(
        insert.returning(idempotency.c.scope, idempotency.c.key),
        [
            {
                "scope": item.key.scope,
                "key": item.key.key,
                "fingerprint": item.fingerprint,
                "claimed_at": item.now,
            }
            for item in sorted(items, key=_in_one_order)
        ],
    )
    added = {IdempotencyKey(row.scope, row.key) for row in rows}
    claims: list[Claim | StoredResponse] = []
    for item in items:
        if item.key in added:
            added.remove(item.key)
            claims.append(Claim.CLAIMED)
        else:
            claims.append(await _standing(connection, item))
    return claims


def _in_one_order(item: _Wanted) -> tuple[str, str]:
    """For all, so that two nodes never wait for each other."""
    return item.key.scope, item.key.key


async def _forget(connection: AsyncConnection, now: datetime) -> None:
    """Drop what is too old, so that its key means nothing again."""
    await connection.execute(
        delete(idempotency).where(
            or_(
                idempotency.c.claimed_at <= now - _KEPT,
                and_(
                    idempotency.c.claimed_at <= now - _CLAIM_LASTS,
                    idempotency.c.status.is_(None),
                ),
            )
        )
    )


async def _standing(connection: AsyncConnection, item: _Wanted) -> Claim | StoredResponse:
    row = (await connection.execute(select(idempotency).where(_is(item.key)))).one()
    if row.fingerprint != item.fingerprint:
        return Claim.MISMATCH
    if row.status is None:
        return Claim.IN_PROGRESS
    return StoredResponse(row.status, row.body, row.location)
