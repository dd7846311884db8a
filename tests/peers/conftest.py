"""The real peers as fixtures."""

from collections.abc import Iterator

import pytest

from tests.peers.kamailio import Kamailio
from tests.peers.postgresql import PostgreSql
from tests.peers.wine import windows_python
from tests.peers.wine_hook import hook, hook_programs, program_runner, receiver

__all__ = [
    "hook",
    "hook_programs",
    "kamailio",
    "postgresql",
    "program_runner",
    "receiver",
    "windows_python",
]


@pytest.fixture
def kamailio() -> Iterator[Kamailio]:
    """A registrar without any binding."""
    with Kamailio() as registrar:
        yield registrar


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    with PostgreSql() as server:
        yield server
