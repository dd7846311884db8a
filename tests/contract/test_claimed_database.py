"""One gateway at a time has a database: another would answer the same messages."""

import asyncio
import logging
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.config import DatabaseSettings
from gateway.errors import AlreadyRunning
from gateway.store.database import Database
from gateway.store.messages import SqlMessageStore
from tests.contract.samples import arrival, received

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.timeout(60)]


@pytest.fixture
def settings(postgresql_url: str) -> DatabaseSettings:
    return DatabaseSettings(url=postgresql_url, auto_upgrade=True)


async def claim(settings: DatabaseSettings, data_dir: Path) -> None:
    """As another gateway that starts, and stops at once."""
    async with Database(settings=settings, data_dir=data_dir) as other, other.claimed():
        pass


async def claims(connection: AsyncConnection, *, granted: bool) -> list[int]:
    """The server processes that hold the claim, or wait for it."""
    query = text(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted = :granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return list((await connection.execute(query, {"granted": granted})).scalars())


async def end_claim(connection: AsyncConnection) -> bool:
    [holder] = await claims(connection, granted=True)
    query = text("SELECT pg_terminate_backend(:pid, 5000)")
    return bool(await connection.scalar(query, {"pid": holder}))


async def is_waited_for(connection: AsyncConnection) -> bool:
    return bool(await claims(connection, granted=False))


async def test_a_second_gateway_is_told_where_the_first_is(
    database: Database, settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with database.claimed():
        with pytest.raises(AlreadyRunning, match=r"gateway_\d+ is in use") as caught:
            await claim(settings, tmp_path)

    assert "[database] url" in str(caught.value)


async def test_a_gateway_that_stops_makes_way(
    database: Database, settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with asyncio.TaskGroup() as group, database.claimed():
        waiting = group.create_task(claim(settings, tmp_path))
        async with asyncio.timeout(30):
            while not await database.read(is_waited_for):
                pass

    assert waiting.exception() is None


async def test_commands_open_a_database_that_is_claimed(
    database: Database, settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with (
        database.claimed(),
        Database(settings=settings, data_dir=tmp_path) as other,
    ):
        await other.prepare()

        assert (await other.revision()).is_current


async def test_a_gateway_goes_on_without_its_claim(
    database: Database, store: SqlMessageStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    async with database.claimed():
        ended = await database.write(end_claim)
        stored = await store.add_inbound([arrival(received())])

    assert (ended, len(stored), caplog.messages) == (True, 1, [])
