"""The database is away: inbound goes on, the rest says so, and resumes by itself."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest

from gateway.web.client import RequestRefused
from tests.peers.gateway_process import (
    EVERYBODY_MAY,
    LOCAL_ACCOUNT,
    GatewayProcess,
    eventually,
)
from tests.peers.postgresql import PostgreSql
from tests.peers.sip_ua import SipUserAgent

pytestmark = [pytest.mark.timeout(180)]

TEXTS = [f"{number}. while the database was away" for number in range(20)]


class Outage(Protocol):
    """A database that can be taken away and given back."""

    configuration: str

    def begin(self, data_dir: Path) -> None: ...
    def end(self) -> None: ...


class ServerStopped:
    """PostgreSQL itself."""

    def __init__(self, server: PostgreSql) -> None:
        self._server = server
        url = server.create_database()
        self.configuration = f'[database]\nurl = "{url}"\nauto_upgrade = true\n'

    def begin(self, data_dir: Path) -> None:
        self._server.stop()

    def end(self) -> None:
        self._server.start()


class FileLocked:
    """SQLite, which another process writes and does not let go."""

    configuration = ""

    def begin(self, data_dir: Path) -> None:
        self._holder = sqlite3.connect(data_dir / "gateway.db", isolation_level=None)
        self._holder.execute("BEGIN EXCLUSIVE")

    def end(self) -> None:
        with closing(self._holder):
            self._holder.execute("ROLLBACK")


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.peer("postgresql"))]
)
def outage(request: pytest.FixtureRequest) -> Iterator[Outage]:
    if request.param == "sqlite":
        yield FileLocked()
        return
    with PostgreSql() as server:
        yield ServerStopped(server)


async def test_nothing_is_lost_while_the_database_is_away(
    tmp_path: Path, outage: Outage
) -> None:
    async with (
        GatewayProcess(tmp_path, LOCAL_ACCOUNT, EVERYBODY_MAY, outage.configuration) as gateway,
        SipUserAgent("101", gateway.sip_port) as anna,
    ):
        await anna.ask(gateway.bot, TEXTS[0])  # a hint, once
        outage.begin(gateway.data_dir)

        answers = {await anna.send(gateway.bot, text) for text in TEXTS[1:]}
        with pytest.raises(RequestRefused) as refused:
            await gateway.send(f"sip:101@{anna.host_port}", "not now")

        async def says_so() -> bool:
            status, parts = await gateway.readiness()
            return status == 503 and not parts["database"]["ok"]

        await eventually(says_so)
        metrics = await gateway.metrics()
        outage.end()

        async def works_again() -> bool:
            return (await gateway.readiness())[0] == 200

        await eventually(works_again, 60)

        async def all_kept() -> bool:
            return len(await gateway.history("while")) >= len(TEXTS)

        await eventually(all_kept, 60)
        await gateway.send(f"sip:101@{anna.host_port}", "now", wait=20)
        kept = [item["text"] for item in await gateway.history("while")]
        received = (await anna.next_message()).text

    assert answers == {200}
    assert (refused.value.status, refused.value.code) == (503, "storage_unavailable")
    assert re.search(r'request_seconds_count\{.*"/v1/messages".*"503"', metrics)
    assert sorted(kept) == sorted(TEXTS)
    assert received == "now"
