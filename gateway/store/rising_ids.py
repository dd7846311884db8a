"""Where a table's rising ids have arrived, which its rows alone do not tell."""

from sqlalchemy import Table, bindparam, cast, column, func, select, table, text
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.functions import Function

_GIVEN_BY_SQLITE = table("sqlite_sequence", column("name"), column("seq"))


async def last_given(connection: AsyncConnection, numbered: Table) -> int:
    """The last id that was given, though its row may be deleted; 0 where none was.

    SQLite remembers it only for a table with AUTOINCREMENT.
    """
    key = numbered.autoincrement_column
    if key is None:
        return 0
    if connection.dialect.name == "postgresql":
        query = select(func.pg_sequence_last_value(cast(_sequence(numbered), REGCLASS)))
    elif _never_gives_again(numbered):
        query = select(_GIVEN_BY_SQLITE.c.seq).where(_GIVEN_BY_SQLITE.c.name == numbered.name)
    else:
        query = select(func.max(key))
    return int(await connection.scalar(query) or 0)


async def go_on_after(connection: AsyncConnection, numbered: Table, last: int) -> None:
    """Let the next id be above *last*, and above those that are there."""
    key = numbered.autoincrement_column
    if key is None:
        return
    last = max(last, int(await connection.scalar(select(func.max(key))) or 0))
    if not last:
        return
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.setval(cast(_sequence(numbered), REGCLASS), last)))
    elif _never_gives_again(numbered):
        forget = text("DELETE FROM sqlite_sequence WHERE name = :name")
        await connection.execute(forget, {"name": numbered.name})
        await connection.execute(
            _GIVEN_BY_SQLITE.insert().values(name=numbered.name, seq=bindparam("last")),
            {"last": last},
        )


def _sequence(numbered: Table) -> Function[str]:
    assert numbered.autoincrement_column is not None
    return func.pg_get_serial_sequence(numbered.name, numbered.autoincrement_column.name)


def _never_gives_again(numbered: Table) -> bool:
    return bool(numbered.dialect_options["sqlite"]["autoincrement"])
