"""Rows in every table of the store, made after its columns, with hostile values."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    delete,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.columns import Lines, SafeText, UtcDateTime
from gateway.store.database import Database
from gateway.store.fingerprint import in_key_order
from gateway.store.tables import message, metadata

Content = dict[str, list[tuple[Any, ...]]]
"""Of each table, its rows."""

LAST_GIVEN = 1000
"""The archive id of the newest message, which was deleted."""

_LATEST = datetime(9999, 12, 31, 23, 59, 59, 999998, tzinfo=UTC)
_NOON = datetime(2026, 6, 1, 12, 0, 0, 1, tzinfo=UTC)
_HOSTILE = (
    "a",
    "B",
    "_",
    "é",
    "e\u0301",
    "Zoë 'x' \"y\" %s :p ?1 $1 \\n \\\\ {a}",
    "line\r\nend\ttab \x1b[31m \x7f",
    "\u202eRTL \ufeff \U0001f600 \ufffd",
    "; DROP TABLE message; --" + "x" * 10_000,
    "",
)
_BEYOND_POSTGRESQL = "NUL \0 surrogate \ud800 "
_AT_A_TIME = 1000
_STEP = 3
"""Rising ids have gaps."""


def row(table: Table, number: int) -> dict[str, Any]:
    return {column.name: _value(column, number) for column in table.columns}


async def fill(database: Database, *, each: int = 20) -> None:
    """*each* rows in every table."""

    async def work(connection: AsyncConnection) -> None:
        for table in metadata.sorted_tables:
            made = [row(table, number) for number in range(1, each + 1)]
            await connection.execute(table.insert(), made)
        newest = {**row(message, LAST_GIVEN), "archive_id": LAST_GIVEN}
        await connection.execute(message.insert(), newest)
        await connection.execute(delete(message).where(message.c.archive_id == LAST_GIVEN))

    await database.write(work)


async def fill_messages(database: Database, count: int) -> None:
    """So many short ones."""

    async def work(connection: AsyncConnection) -> None:
        usual = row(message, 1) | dict.fromkeys(("text", "folded"), "hello, how are you?")
        for first in range(0, count, _AT_A_TIME):
            numbers = range(first, min(first + _AT_A_TIME, count))
            made = [
                usual
                | {
                    "archive_id": LAST_GIVEN + 1 + n,
                    "id": UUID(int=n),
                    "request_key": str(n).encode(),
                }
                for n in numbers
            ]
            await connection.execute(message.insert(), made)

    await database.write(work)


async def content(database: Database) -> Content:
    async def work(connection: AsyncConnection) -> Content:
        return {
            table.name: [tuple(found) for found in await connection.execute(query)]
            for table in metadata.sorted_tables
            for query in [in_key_order(connection, table)]
        }

    return await database.read(work)


def _value(column: Column[Any], number: int) -> Any:
    if column.nullable and number % 4 == 0:
        return None
    if column.foreign_keys or column is column.table.autoincrement_column:
        return number * _STEP
    return _of_type(column, number)


def _of_type(column: Column[Any], number: int) -> Any:
    text = _HOSTILE[number % len(_HOSTILE)]
    for kind, made in _MADE:
        if isinstance(column.type, kind):
            return made(text, number)
    raise NotImplementedError(f"no value for {column}: {column.type!r}")


_MADE: Sequence[tuple[type, Callable[[str, int], Any]]] = (
    (Uuid, lambda _, n: UUID(int=2**127 + n)),
    (UtcDateTime, lambda _, n: _LATEST if n == 1 else _NOON + timedelta(microseconds=n)),
    (Boolean, lambda _, n: n % 2 == 0),
    (JSON, lambda text, _: [["X-" + text, _BEYOND_POSTGRESQL], [], {"b": 1.5, "a": None}]),
    (Lines, lambda text, n: () if n % 2 else ("one", text, "")),
    (LargeBinary, lambda _, n: bytes(range(256)) + str(n).encode()),
    (SafeText, lambda text, n: f"{text}{_BEYOND_POSTGRESQL}{n}"),
    (Text, lambda text, n: f"{text}{n}"),
    (BigInteger, lambda _, n: 2**62 + n),
    (Integer, lambda _, n: n - 2),
)
