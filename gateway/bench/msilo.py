"""Kamailio's ``msilo`` module, the rival: it stores each MESSAGE, then answers 200."""

import asyncio
import os
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from string import Template

from gateway.bench.databases import CountedDatabase, PostgreSqlDatabase, SqliteFile
from gateway.bench.ports import free_port, is_free
from gateway.bench.processes import BenchError, until, written
from gateway.bench.programs import MODULES, SCHEMAS

# The leanest route that stores: stateless replies, no debug, no authentication. With more
# workers than one SQLite refuses most inserts, as its file is locked. As much may wait at its
# port as at the gateway's.
_CONFIGURATION = Template("""
debug=0
log_stderror=yes
fork=yes
children=$workers
maxbuffer=1048576
disable_tcp=yes
auto_aliases=no
listen=udp:127.0.0.1:$port
mpath="$modules"
loadmodule "$driver.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "msilo.so"
$tuning
modparam("msilo", "db_url", "$database")
modparam("msilo", "check_time", 3600)

request_route {
    if (method != "MESSAGE") {
        sl_send_reply("405", "Method Not Allowed");
        exit;
    }
    if (m_store("$$ru")) {
        sl_send_reply("200", "OK");
    } else {
        sl_send_reply("503", "Not Stored");
    }
}
""")
_WAL = 'modparam("db_sqlite", "db_set_journal_mode", "$path=WAL")'


_TABLES = ("standard", "msilo")


class Msilo:
    """A running one."""

    def __init__(self, port: int, database: CountedDatabase) -> None:
        self.port = port
        self._database = database

    async def stored(self) -> int:
        """Messages in its table."""
        return await self._database.count("silo")


@asynccontextmanager
async def msilo_on_sqlite(folder: Path) -> AsyncIterator[Msilo]:
    """With one worker, on a new file in write-ahead mode."""
    file = _new_file(folder)
    port = free_port()
    configuration = _CONFIGURATION.substitute(
        port=port,
        workers=1,
        modules=MODULES,
        driver="db_sqlite",
        database=f"sqlite:///{file}",
        tuning=Template(_WAL).substitute(path=file),
    )
    async with _kamailio(folder, configuration, port):
        yield Msilo(port, SqliteFile(file))


@asynccontextmanager
async def msilo_on_postgresql(
    folder: Path, database: PostgreSqlDatabase, workers: int
) -> AsyncIterator[Msilo]:
    for name in _TABLES:
        await database.execute("-f", str(SCHEMAS / f"postgres/{name}-create.sql"))
    port = free_port()
    configuration = _CONFIGURATION.substitute(
        port=port,
        workers=workers,
        modules=MODULES,
        driver="db_postgres",
        database=database.url.replace("postgresql://", "postgres://", 1),
        tuning="",
    )
    async with _kamailio(folder, configuration, port):
        yield Msilo(port, database)


def _new_file(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "msilo.db"
    with closing(sqlite3.connect(file)) as connection:
        for name in _TABLES:
            connection.executescript((SCHEMAS / f"db_sqlite/{name}-create.sql").read_text())
        connection.execute("PRAGMA journal_mode=WAL")
    return file


@asynccontextmanager
async def _kamailio(folder: Path, configuration: str, port: int) -> AsyncIterator[None]:
    file = written(folder / "kamailio.cfg", configuration)
    log = folder / "kamailio.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *("kamailio", "-f", str(file), "-DD", "-E", "-m", "64", "-M", "8"),
            *("-Y", str(folder), "-P", str(folder / "pid")),
            stdin=DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    async def listens() -> bool:
        if process.returncode is not None:
            raise BenchError(f"Kamailio did not start: {log.read_text()[-2000:]}")
        return not is_free(port)

    try:
        await until(listens, 15, log.read_text)
        yield
    finally:
        await _kill(process)


async def _kill(process: Process) -> None:
    """Asked politely, it now and then waits a minute for its own child processes."""
    if process.returncode is None and sys.platform != "win32":
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
