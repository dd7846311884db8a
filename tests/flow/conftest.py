"""A gateway that runs, or its desk for webhooks; for each test a new one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.config import DatabaseSettings
from gateway.store.database import Database
from tests.flow.stage import Cast, Stage, running, staged
from tests.flow.webhook_desk import Desk, ObservedQueue


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
async def stage(data_dir: Path, cast: Cast) -> AsyncIterator[Stage]:
    async with staged(data_dir, cast) as stage, running(stage):
        yield stage


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with Database(settings=DatabaseSettings(), data_dir=tmp_path) as database:
        await database.prepare()
        yield Desk(queue=ObservedQueue(database=database))
