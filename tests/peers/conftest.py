"""The real peers as fixtures."""

from collections.abc import Iterator

import pytest

from tests.peers.kamailio import Kamailio
from tests.peers.postgresql import PostgreSql
from tests.peers.wine import windows_python

__all__ = ["kamailio", "postgresql", "windows_python"]


@pytest.fixture
def kamailio() -> Iterator[Kamailio]:
    """A registrar without any binding."""
    with Kamailio() as registrar:
        yield registrar


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    with PostgreSql() as server:
        yield server
