"""A gateway as a process of its own."""

import asyncio
import json
import re
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from gateway.bench.databases import CountedDatabase, PostgreSqlDatabase, SqliteFile
from gateway.bench.ports import free_port
from gateway.bench.processes import BenchError, until, written
from gateway.web.client import GatewayClient
from gateway.web.local import LocalAccess, read_local_access

LOCAL_ACCOUNT = """
[[sip.accounts]]
name = "bot"
uri = "sip:bot@localhost"
"""
RECORDER = LOCAL_ACCOUNT + 'mode = "record"\n'
"""Keeps what it is sent and answers nothing, as the rival does."""
_STARTS_WITHIN = 60
_STOPS_WITHIN = 20


class GatewayChild:
    """``python -m gateway run`` on a new folder; entered when it says that it is ready."""

    def __init__(
        self,
        folder: Path,
        *sections: str,
        environment: Mapping[str, str],
        sip: str = "",
        database: PostgreSqlDatabase | None = None,
    ) -> None:
        """*sections* of its configuration, *sip* what its own section of that name has."""
        self.port = free_port()
        self.data_dir = folder / "data"
        self.database: CountedDatabase = database or SqliteFile(self.data_dir / "gateway.db")
        self._environment = environment
        self._log = folder / "log"
        configuration = (
            f"data_dir = {json.dumps(str(self.data_dir))}",
            f'[sip]\nbind = "127.0.0.1"\nudp_port = {self.port}\ntcp_port = false\n{sip}',
            f"[http]\nport = {free_port()}",
            _database_section(database),
            *sections,
        )
        self._configuration = written(folder / "gateway.toml", "\n".join(configuration))
        self._process: Process | None = None

    async def __aenter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway", "run", "--log-level", "warning"),
                *("--config", str(self._configuration)),
                env=dict(self._environment),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._running
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(_STOPS_WITHIN):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        self._process = None

    @property
    def pid(self) -> int:
        return self._running.pid

    async def ready(self) -> None:
        """Returns when it printed its ready line; raises BenchError when it ended."""

        async def is_ready() -> bool:
            if self._running.returncode is not None:
                raise BenchError(f"the gateway did not start: {self._last_words()}")
            return re.search(r"^ready", self._last_words(), re.MULTILINE) is not None

        await until(is_ready, _STARTS_WITHIN, self._last_words)

    async def stored(self) -> int:
        """Inbound messages in its database."""
        return await self.database.count("message", "direction = 'inbound'")

    def access(self) -> LocalAccess:
        """Where it listens, with a token."""
        access = read_local_access(self.data_dir)
        if access is None:
            raise BenchError(f"the gateway is gone: {self._last_words()}")
        return access

    def client(self) -> GatewayClient:
        return GatewayClient(self.access())

    @property
    def _running(self) -> Process:
        assert self._process is not None, "the gateway is not running"
        return self._process

    def _last_words(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-2000:]


@asynccontextmanager
async def ready_gateway(child: GatewayChild) -> AsyncIterator[GatewayChild]:
    """Runs it, from its ready line on."""
    async with child:
        await child.ready()
        yield child


def _database_section(database: PostgreSqlDatabase | None) -> str:
    if database is None:
        return ""
    url = database.url.replace("postgresql://", "postgresql+asyncpg://", 1)
    return f"[database]\nurl = {json.dumps(url)}\nauto_upgrade = true"
