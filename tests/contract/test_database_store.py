"""The database: what is wrong with it is said, and nothing is half done."""

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.config import DatabaseSettings
from gateway.errors import ConfigError, StorageUnavailable
from gateway.ports import Health
from gateway.store.database import Database
from gateway.store.messages import SqlMessageStore
from gateway.store.tables import token
from tests.contract.samples import arrival, received
from tests.fakes import NOON
from tests.peers.postgresql import PostgreSql


async def opened(settings: DatabaseSettings, data_dir: Path) -> None:
    async with Database(settings=settings, data_dir=data_dir):
        pass


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("nonsense", "not a database URL", id="no URL"),
        pytest.param("sqlite:///x.db", "sqlite is not supported", id="driver without asyncio"),
        pytest.param("mysql+aiomysql://h/d", "not supported", id="another database"),
        pytest.param("sqlite+aiosqlite://", "names no file", id="in memory"),
        pytest.param("sqlite+aiosqlite:////nowhere/at/all/x.db", "does not exist", id="folder"),
        pytest.param("sqlite+aiosqlite:////proc/x.db", "can be written to", id="unwritable"),
    ],
)
async def test_a_database_that_cannot_be_names_the_key(
    tmp_path: Path, url: str, says: str
) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        await opened(DatabaseSettings(url=url), tmp_path)

    assert "[database]" in str(caught.value)


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "gateway.db"
    file.write_text("Dear diary, " * 1000)

    with pytest.raises(ConfigError, match=r"gateway\.db"):
        await opened(DatabaseSettings(), tmp_path)

    assert file.read_text() == "Dear diary, " * 1000


async def test_a_server_that_is_away_is_unavailable(tmp_path: Path) -> None:
    url = "postgresql+asyncpg://gateway@127.0.0.1:1/gateway"

    with pytest.raises(StorageUnavailable, match="see that the server runs"):
        await opened(DatabaseSettings(url=url), tmp_path)


@pytest.mark.peer("postgresql")
@pytest.mark.timeout(60)
async def test_a_database_that_is_not_there_is_unavailable(
    tmp_path: Path, postgresql_url: str
) -> None:
    url = postgresql_url.rpartition("/")[0] + "/elsewhere"

    with pytest.raises(StorageUnavailable, match="elsewhere"):
        await opened(DatabaseSettings(url=url), tmp_path)


@pytest.mark.peer("postgresql")
@pytest.mark.timeout(60)
async def test_the_password_of_the_settings_opens_postgresql(tmp_path: Path) -> None:
    with PostgreSql() as server:
        url = server.create_guarded_database("geheim")

        await opened(DatabaseSettings(url=url, password=SecretStr("geheim")), tmp_path)

        with pytest.raises(StorageUnavailable, match="check the database's URL and password"):
            await opened(DatabaseSettings(url=url, password=SecretStr("falsch")), tmp_path)


@pytest.mark.peer("postgresql")
@pytest.mark.timeout(60)
async def test_a_server_that_was_restarted_is_connected_to_again(tmp_path: Path) -> None:
    async def one(connection: AsyncConnection) -> object:
        return await connection.scalar(text("SELECT 1"))

    with PostgreSql() as server:
        settings = DatabaseSettings(url=server.create_database())
        async with Database(settings=settings, data_dir=tmp_path) as database:
            await asyncio.gather(*(database.read(one) for _ in range(3)))
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)

            answers = await asyncio.gather(*(database.read(one) for _ in range(3)))

    assert answers == [1, 1, 1]


async def test_sqlite_survives_a_power_cut_after_a_commit(tmp_path: Path) -> None:
    async def pragmas(connection: AsyncConnection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [await connection.scalar(text(f"PRAGMA {name}")) for name in names]

    async with Database(settings=DatabaseSettings(), data_dir=tmp_path) as database:
        full = 2

        assert await database.read(pragmas) == ["wal", full, 1]


async def test_a_unit_that_fails_leaves_nothing(database: Database) -> None:
    async def half(connection: AsyncConnection) -> None:
        values = {"name": "half", "digest": b"1", "scopes": [], "created_at": NOON}
        await connection.execute(insert(token).values(values))
        await connection.execute(text("SELECT nonsense"))

    async def count(connection: AsyncConnection) -> object:
        return await connection.scalar(text("SELECT count(*) FROM token"))

    with pytest.raises(StorageUnavailable):
        await database.write(half)

    assert await database.read(count) == 0


async def test_a_unit_is_finished_though_its_caller_leaves(
    settings: DatabaseSettings, database: Database, tmp_path: Path
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work(connection: AsyncConnection) -> None:
        begun.set()
        await go_on.wait()
        values = {"name": "kept", "digest": b"1", "scopes": [], "created_at": NOON}
        await connection.execute(insert(token).values(values))

    async def names(connection: AsyncConnection) -> list[str]:
        return list((await connection.execute(text("SELECT name FROM token"))).scalars())

    async with Database(settings=settings, data_dir=tmp_path) as other:
        caller = asyncio.create_task(other.write(work, waits=True))
        await begun.wait()
        caller.cancel()
        await asyncio.wait([caller])
        go_on.set()

    assert caller.cancelled()
    assert await database.read(names) == ["kept"]


async def test_a_unit_in_its_thread_is_finished_though_its_caller_leaves(
    tmp_path: Path,
) -> None:
    loop = asyncio.get_running_loop()
    begun, go_on = asyncio.Event(), threading.Event()

    async def work(connection: AsyncConnection) -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(10)
        await connection.execute(text("CREATE TABLE kept (id INTEGER)"))

    async def tables(connection: AsyncConnection) -> list[str]:
        query = text("SELECT name FROM sqlite_master WHERE type = 'table'")
        return list((await connection.execute(query)).scalars())

    async with Database(settings=DatabaseSettings(), data_dir=tmp_path) as database:
        caller = asyncio.create_task(database.write(work))
        await begun.wait()
        caller.cancel()
        await asyncio.wait([caller])
        go_on.set()

        assert caller.cancelled()
        await database.write(_nothing)  # the one behind it
        assert await database.read(tables) == ["kept"]


async def test_a_unit_that_waits_for_others_must_say_so(tmp_path: Path) -> None:
    async def work(connection: AsyncConnection) -> None:
        await connection.execute(text("CREATE TABLE half (id INTEGER)"))
        await asyncio.sleep(0)

    async def count(connection: AsyncConnection) -> object:
        return await connection.scalar(text("SELECT count(*) FROM sqlite_master"))

    async with Database(settings=DatabaseSettings(), data_dir=tmp_path) as database:
        with pytest.raises(RuntimeError, match="waits for something else"):
            await database.write(work)

        assert await database.read(count) == 0
        await database.write(work, waits=True)
        assert await database.read(count) == 1


async def _nothing(_connection: AsyncConnection) -> None:
    pass


async def test_another_process_holding_the_file_is_unavailable_and_passes(
    tmp_path: Path,
) -> None:
    async with Database(settings=DatabaseSettings(), data_dir=tmp_path) as database:
        await database.prepare()
        store = SqlMessageStore(database=database)
        with sqlite3.connect(tmp_path / "gateway.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageUnavailable, match="locked"):
                await store.add_inbound([arrival(received())])
            [held] = await database.health()
            other.execute("ROLLBACK")
        other.close()

        assert len(await store.add_inbound([arrival(received())])) == 1
        assert not held.ok  # though it can be read
        assert "locked" in held.detail
        assert [health.ok for health in await database.health()] == [True]


async def test_a_database_that_can_be_read_is_healthy(database: Database) -> None:
    [health] = await database.health()

    assert health == Health("database", ok=True, detail=database.engine.dialect.name)


async def test_a_file_needs_no_claim_since_its_folder_has_a_lock(tmp_path: Path) -> None:
    async with (
        Database(settings=DatabaseSettings(), data_dir=tmp_path) as database,
        database.claimed(),
        database.claimed(),
    ):
        await database.prepare()

        assert (await database.revision()).is_current
