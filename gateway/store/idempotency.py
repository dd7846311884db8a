"""Idempotency keys with the responses they were answered with."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.idempotency import Claim, IdempotencyKey, StoredResponse
from gateway.store import queueing
from gateway.store.database import Database, insert_into
from gateway.store.tables import idempotency

_KEPT = timedelta(days=7)
_CLAIM_LASTS = timedelta(minutes=1)


class SqlIdempotency:
    """Idempotency on SQL.

    A claim not completed within a minute was cut off by a crash: the next request takes
    the key over. Should the first live yet, its message is not queued, since a key is
    completed once (see gateway.store.queueing).
    """

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def claim(
        self, key: IdempotencyKey, fingerprint: str, now: datetime
    ) -> Claim | StoredResponse:
        async def work(connection: AsyncConnection) -> Claim | StoredResponse:
            await _forget(connection, now)
            insert = insert_into(connection, idempotency).values(
                scope=key.scope, key=key.key, fingerprint=fingerprint, claimed_at=now
            )
            added = await connection.execute(
                insert.on_conflict_do_nothing().returning(idempotency.c.key)
            )
            if added.first() is not None:
                return Claim.CLAIMED
            return await _standing(connection, key, fingerprint)

        return await self._database.write(work)

    async def complete(self, key: IdempotencyKey, response: StoredResponse) -> None:
        """Raises ConflictError when the key is not claimed, or was completed."""

        async def work(connection: AsyncConnection) -> None:
            await queueing.complete(connection, key, response)

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


async def _standing(
    connection: AsyncConnection, key: IdempotencyKey, fingerprint: str
) -> Claim | StoredResponse:
    row = (await connection.execute(select(idempotency).where(_is(key)))).one()
    if row.fingerprint != fingerprint:
        return Claim.MISMATCH
    if row.status is None:
        return Claim.IN_PROGRESS
    return StoredResponse(row.status, row.body, row.location)
