"""Databases as a copy meets them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.config import DatabaseSettings
from gateway.store.database import Database

_CHANGE = "UPDATE peer SET refuses = 7 WHERE aor = NEW.aor"
_BODY = f"'BEGIN {_CHANGE}; RETURN NULL; END'"
_ON_SQLITE = (f"CREATE TRIGGER changing AFTER INSERT ON peer BEGIN {_CHANGE}; END",)
_ON_POSTGRESQL = (
    f"CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS {_BODY}",
    "CREATE TRIGGER changing AFTER INSERT ON peer FOR EACH ROW EXECUTE FUNCTION change()",
)


@asynccontextmanager
async def opened(
    url: str, *, upgraded: bool = False, node: str = ""
) -> AsyncIterator[Database]:
    settings = DatabaseSettings(url=url)
    async with Database(settings=settings, data_dir=Path(), node=node) as database:
        if upgraded:
            await database.upgrade()
        yield database


async def run(database: Database, *statements: str) -> None:
    async def work(connection: AsyncConnection) -> None:
        for statement in statements:
            await connection.execute(text(statement))

    await database.write(work)


async def change_what_arrives(database: Database) -> None:
    """From now on its peers are not what is inserted."""
    await run(database, *(_ON_SQLITE if database.is_sqlite else _ON_POSTGRESQL))
