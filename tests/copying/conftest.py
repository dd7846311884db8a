"""Empty databases of each kind, and a full one."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.peers.postgresql import PostgreSql

MakeUrl = Callable[[str], str]
"""Of a new database of this kind."""


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    with PostgreSql() as server:
        yield server


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> MakeUrl:
    numbers = count(1)

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite+aiosqlite:///{tmp_path}/{next(numbers)}.db"
        server: PostgreSql = request.getfixturevalue("postgresql")
        return server.create_database()

    return make
