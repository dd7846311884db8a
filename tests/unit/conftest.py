"""What several unit tests are run on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway.config import DatabaseSettings
from gateway.metrics import Metrics
from gateway.store.audit import SqlCommandLog
from gateway.store.database import Database
from tests.unit.phone_desk import Desk


@pytest.fixture
async def command_log(data_dir: Path) -> AsyncIterator[SqlCommandLog]:
    async with Database(settings=DatabaseSettings(), data_dir=data_dir) as database:
        await database.prepare()
        yield SqlCommandLog(database=database, metrics=Metrics(CollectorRegistry()))


@pytest.fixture
def desk(command_log: SqlCommandLog, data_dir: Path) -> Desk:
    return Desk(command_log, data_dir)
