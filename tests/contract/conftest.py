"""The store on each database it promises to work on."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.config import DatabaseSettings
from gateway.metrics import Metrics
from gateway.store.audit import SqlCommandLog
from gateway.store.database import Database
from gateway.store.hooks import SqlHookLog
from gateway.store.idempotency import SqlIdempotency
from gateway.store.messages import SqlMessageStore
from gateway.store.search import SqlArchive
from gateway.store.tables import metadata
from gateway.store.tokens import SqlTokens
from gateway.store.webhooks import SqlWebhookQueue
from tests.contract.node import Node
from tests.fakes import FakeClock
from tests.peers.postgresql import PostgreSql

# The first test of a session pays for initdb.
ON_POSTGRESQL = [pytest.mark.peer("postgresql"), pytest.mark.timeout(60)]


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    with PostgreSql() as server:
        yield server.create_database()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=ON_POSTGRESQL)])
def settings(request: pytest.FixtureRequest) -> DatabaseSettings:
    if request.param == "sqlite":
        return DatabaseSettings()
    return DatabaseSettings(url=request.getfixturevalue("postgresql_url"), auto_upgrade=True)


@pytest.fixture
async def database(settings: DatabaseSettings, tmp_path: Path) -> AsyncIterator[Database]:
    """Upgraded and empty."""
    async with Database(settings=settings, data_dir=tmp_path) as opened:
        await opened.prepare()
        if not opened.is_sqlite:
            await opened.write(_empty)
        yield opened


async def _empty(connection: AsyncConnection) -> None:
    names = ", ".join(table.name for table in metadata.sorted_tables)
    await connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))


@pytest.fixture
def store(database: Database) -> SqlMessageStore:
    return SqlMessageStore(database=database)


@pytest.fixture
def archive(database: Database) -> SqlArchive:
    return SqlArchive(database=database)


@pytest.fixture
def command_log(database: Database) -> SqlCommandLog:
    return SqlCommandLog(database=database, metrics=Metrics(CollectorRegistry()))


@pytest.fixture
def hook_log(database: Database) -> SqlHookLog:
    return SqlHookLog(database=database)


@pytest.fixture
def webhook_queue(database: Database) -> SqlWebhookQueue:
    return SqlWebhookQueue(database=database)


@pytest.fixture
def tokens(database: Database) -> SqlTokens:
    return SqlTokens(database=database, clock=FakeClock())


@pytest.fixture
def idempotency(database: Database) -> SqlIdempotency:
    return SqlIdempotency(database=database)


@pytest.fixture
async def anna_pc(
    database: Database, settings: DatabaseSettings, tmp_path: Path
) -> AsyncIterator[Node]:
    async with Database(settings=settings, data_dir=tmp_path, node="anna-pc") as opened:
        yield Node(opened)


@pytest.fixture
async def bert_pc(
    database: Database, settings: DatabaseSettings, tmp_path: Path
) -> AsyncIterator[Node]:
    async with Database(settings=settings, data_dir=tmp_path, node="bert-pc") as opened:
        yield Node(opened)


@pytest.fixture
async def carl_pc(
    database: Database, settings: DatabaseSettings, tmp_path: Path
) -> AsyncIterator[Node]:
    async with Database(settings=settings, data_dir=tmp_path, node="carl-pc") as opened:
        yield Node(opened)
