"""An empty database of each kind."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.config import DatabaseSettings
from gateway.store.database import Database
from tests.peers.postgresql import PostgreSql

ON_POSTGRESQL = [pytest.mark.peer("postgresql"), pytest.mark.timeout(60)]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    with PostgreSql() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=ON_POSTGRESQL)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").create_database()
    async with Database(settings=DatabaseSettings(url=url), data_dir=tmp_path) as opened:
        yield opened
