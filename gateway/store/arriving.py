"""The insert of inbound messages, which tells those that were new."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from gateway.store.prepared import Prepared
from gateway.store.rows import Values
from gateway.store.tables import message

# SQLAlchemy's INSERT of many rows with RETURNING is another text for each number of rows, to
# be worked out by itself and by PostgreSQL: that takes three times as long as the insert.
_ON_SQLITE = Prepared(sqlite.insert(message).on_conflict_do_nothing())
_NEWEST = select(message.c.id).order_by(message.c.archive_id.desc()).limit(bindparam("stored"))


async def insert_new(connection: AsyncConnection, rows: Sequence[Values]) -> set[UUID]:
    """The ids of those that were not there yet; all *rows* have the same columns."""
    if connection.dialect.name == "sqlite":
        return await _one_by_one(connection, rows)
    return await _as_arrays(connection, rows)


async def _one_by_one(connection: AsyncConnection, rows: Sequence[Values]) -> set[UUID]:
    """There is no other writer, so that the newest messages are those from here."""
    stored = await _ON_SQLITE.run(connection, rows)
    if stored == len(rows):
        return {row["id"] for row in rows}
    return set((await connection.execute(_NEWEST, {"stored": stored})).scalars())


async def _as_arrays(connection: AsyncConnection, rows: Sequence[Values]) -> set[UUID]:
    """An array for each column, so that one statement takes any number of rows."""
    arrays = {name: [row[name] for row in rows] for name in rows[0]}
    inserted = await connection.execute(_on_postgresql(tuple(arrays)), arrays)
    return set(inserted.scalars())


@cache  # one: every message that comes in has the same columns
def _on_postgresql(names: tuple[str, ...]) -> ReturningInsert[UUID]:
    kinds = [postgresql.ARRAY(message.c[name].type, dimensions=1) for name in names]
    arrays = [bindparam(name, type_=kind) for name, kind in zip(names, kinds, strict=True)]
    rows = select(*(func.unnest(array) for array in arrays))
    insert = postgresql.insert(message).from_select(list(names), rows)
    return insert.on_conflict_do_nothing().returning(message.c.id)
