"""A node is one gateway at a time: another would answer the same messages."""

import asyncio
import logging
from collections.abc import AsyncIterator
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


@pytest.fixture
async def running(
    database: Database, settings: DatabaseSettings, tmp_path: Path
) -> AsyncIterator[Database]:
    """Of a gateway."""
    async with Database(settings=settings, data_dir=tmp_path, node="pc-1") as opened:
        yield opened


async def claim(settings: DatabaseSettings, data_dir: Path, node: str) -> None:
    """As another gateway that starts, and stops at once; without *node*, a command."""
    other = Database(settings=settings, data_dir=data_dir, node=node)
    async with other, other.claimed():
        pass


async def claims(connection: AsyncConnection, *, granted: bool) -> list[int]:
    """The server processes that hold the claim, or wait for it."""
    query = text(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted = :granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return list((await connection.execute(query, {"granted": granted})).scalars())


async def held(connection: AsyncConnection) -> list[int]:
    return await claims(connection, granted=True)


async def end_claim(connection: AsyncConnection) -> bool:
    holder, *_ = set(await claims(connection, granted=True))
    query = text("SELECT pg_terminate_backend(:pid, 5000)")
    return bool(await connection.scalar(query, {"pid": holder}))


async def is_waited_for(connection: AsyncConnection) -> bool:
    return bool(await claims(connection, granted=False))


async def test_gateways_share_a_database(
    running: Database, settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with running.claimed():
        await claim(settings, tmp_path, "pc-2")

        assert len(await running.read(held)) == 2


async def test_a_copy_of_a_data_folder_is_told_what_to_delete(
    running: Database, settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with running.claimed():
        with pytest.raises(AlreadyRunning, match=r"id pc-1 .*gateway_\d+") as caught:
            await claim(settings, tmp_path, "pc-1")

    assert "delete the file node" in str(caught.value)


async def test_a_command_that_needs_all_of_the_database_is_told_who_has_it(
    running: Database, settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with running.claimed():
        with pytest.raises(AlreadyRunning, match=r"gateway_\d+ is in use by another gateway"):
            await claim(settings, tmp_path, "")


async def test_no_gateway_starts_while_a_command_has_the_database(
    database: Database, settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with database.claimed():
        with pytest.raises(AlreadyRunning, match="is being copied"):
            await claim(settings, tmp_path, "pc-1")


async def test_a_gateway_that_stops_makes_way(
    running: Database, settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with asyncio.TaskGroup() as group, running.claimed():
        waiting = group.create_task(claim(settings, tmp_path, "pc-1"))
        async with asyncio.timeout(30):
            while not await running.read(is_waited_for):
                pass

    assert waiting.exception() is None


async def test_commands_open_a_database_that_is_claimed(
    running: Database, settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with (
        running.claimed(),
        Database(settings=settings, data_dir=tmp_path) as other,
    ):
        await other.prepare()

        assert (await other.revision()).is_current


async def test_a_gateway_goes_on_without_its_claim(
    running: Database, store: SqlMessageStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    async with running.claimed():
        ended = await running.write(end_claim)
        stored = await store.add_inbound([arrival(received())])

    assert (ended, len(stored), caplog.messages) == (True, 1, [])
