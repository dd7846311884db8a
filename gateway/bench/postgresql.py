"""A PostgreSQL server, started for the benchmark or given."""

import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from gateway.bench.databases import PostgreSqlDatabase
from gateway.bench.ports import free_port
from gateway.bench.processes import run

_INSTALLED = Path("/usr/lib/postgresql")
_OWNER = "bench"


def server_programs() -> Path | None:
    """The folder of the newest server that is installed."""
    found = sorted(_INSTALLED.glob("*/bin/postgres"), key=lambda path: path.parts[-3])
    return found[-1].parent if found else None


class PostgreSqlServer:
    """One that is running."""

    def __init__(self, url: str) -> None:
        """*url* without a database."""
        self._url = url.rstrip("/")

    @asynccontextmanager
    async def database(self) -> AsyncIterator[PostgreSqlDatabase]:
        """A new, empty one, dropped at the end."""
        name = f"sip_gateway_bench_{uuid4().hex[:12]}"
        server = PostgreSqlDatabase(f"{self._url}/postgres")
        await server.execute("-c", f"CREATE DATABASE {name}")
        try:
            yield PostgreSqlDatabase(f"{self._url}/{name}")
        finally:
            await server.execute("-c", f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def started_server(programs: Path) -> AsyncIterator[PostgreSqlServer]:
    """With the settings of its package: each commit is on the disk."""
    folder = Path(tempfile.mkdtemp(prefix="bench-postgresql-"))
    as_owner = _as_postgres(folder)
    port = free_port()

    async def control(*arguments: str) -> None:
        await run(*as_owner, str(programs / "pg_ctl"), "-D", str(folder / "data"), *arguments)

    try:
        await control("-s", "-o", f"-A trust -U {_OWNER} -E UTF8", "initdb")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        await control("-s", "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield PostgreSqlServer(f"postgresql://{_OWNER}@127.0.0.1:{port}")
        finally:
            await control("-s", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _as_postgres(folder: Path) -> tuple[str, ...]:
    """Initdb refuses root."""
    if sys.platform != "win32" and os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        return ("runuser", "-u", "postgres", "--")
    return ()
