"""A gateway that runs, for each test a new one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flow.stage import Cast, Stage, running, staged


@pytest.fixture
def cast() -> Cast:
    return Cast()


@pytest.fixture
async def stage(data_dir: Path, cast: Cast) -> AsyncIterator[Stage]:
    async with staged(data_dir, cast) as stage, running(stage):
        yield stage
