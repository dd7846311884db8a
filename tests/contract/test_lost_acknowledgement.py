"""PostgreSQL went away between a commit and its acknowledgement: the call comes again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.config import DatabaseSettings
from gateway.errors import StorageUnavailable
from gateway.store.database import Database
from gateway.store.messages import SqlMessageStore
from tests.contract.lossy import LossyConnection
from tests.contract.samples import arrival, received

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.timeout(60)]


@pytest.fixture
async def connection(postgresql_url: str) -> AsyncIterator[LossyConnection]:
    async with LossyConnection(postgresql_url).serving() as serving:
        yield serving


@pytest.fixture
async def database(connection: LossyConnection, tmp_path: Path) -> AsyncIterator[Database]:
    settings = DatabaseSettings(url=connection.url, auto_upgrade=True)
    async with Database(settings=settings, data_dir=tmp_path) as opened:
        await opened.prepare()
        yield opened


async def test_a_stored_command_is_handed_over(
    connection: LossyConnection, store: SqlMessageStore
) -> None:
    batch = [arrival(received("help"), needs_answer=True)]
    connection.lose(1)
    with pytest.raises(StorageUnavailable):
        await store.add_inbound(batch)

    again = await store.add_inbound(batch)

    assert list(again) == [batch[0].message]
