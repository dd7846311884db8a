"""SQLite: the file, and units of work that each run in one thread without leaving it."""

import asyncio
import sqlite3
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import get_ident
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from gateway.errors import ConfigError
from gateway.store.work import Work

CONNECT_ARGS = {"timeout": 5}
"""Only another process can hold the file, such as ``db upgrade``."""
WRITING = {"gateway_begin": "BEGIN IMMEDIATE"}
"""Execution options of a transaction that writes."""

_READERS = 8
T = TypeVar("T")


class SqliteThreads:
    """One thread that writes, and a few that read; each keeps a connection of its own.

    A driver that is asyncio's own crosses to its thread for every statement, and waits there
    for the interpreter's lock: under load that takes longer than the statements do. To take
    a connection from the pool for each unit takes as long as a statement or two.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        """*engine* is asyncio's on the same file."""
        self._async_engine = engine
        self._engine = create_engine(
            engine.url.set(drivername="sqlite"),
            connect_args=CONNECT_ARGS,
            hide_parameters=True,
            pool_size=_READERS + 1,
            max_overflow=0,
        )
        prepare(self._engine)
        self._writing = self._engine.execution_options(**WRITING)
        self._kept: dict[int, Connection] = {}
        """By their threads."""
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="reader")

    def close(self) -> None:
        """Returns when all connections are closed; blocks."""
        self._writer.shutdown()
        self._readers.shutdown()
        for connection in self._kept.values():
            connection.close()
        self._engine.dispose()

    async def read(self, work: Work[T]) -> T:
        """In a transaction that only reads; see ``write``."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._run, self._engine, work)

    async def write(self, work: Work[T]) -> T:
        """In a transaction; returns after its commit.

        *work* waits for nothing but its connection.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writer, self._run, self._writing, work)

    def _run(self, engine: Engine, work: Work[T]) -> T:
        with ExitStack() as unless_done:
            kept = self._kept.pop(get_ident(), None)
            connection = unless_done.enter_context(kept or engine.connect())
            with connection.begin():
                result = _at_once(work(Immediate(self._async_engine, connection)))
            unless_done.pop_all()
        self._kept[get_ident()] = connection
        return result


def _at_once(unit: Coroutine[Any, Any, T]) -> T:
    """The result of *unit*, which waits for nothing but its connection."""
    try:
        unit.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    unit.close()
    raise RuntimeError("a unit of work waits for something else than its connection")


class Immediate(AsyncConnection):
    """An asyncio connection whose statements are run by the thread that awaits them."""

    def run(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """By the driver alone; how many rows of the table it stored or changed."""
        with self._driver(statement) as cursor:
            count: int = cursor.executemany(statement, rows).rowcount
            return count

    def ask(self, statement: str, parameters: tuple[Any, ...]) -> Sequence[tuple[Any, ...]]:
        """Of the driver alone, which gives the rows."""
        with self._driver(statement) as cursor:
            found: Sequence[tuple[Any, ...]] = cursor.execute(statement, parameters).fetchall()
            return found

    @contextmanager
    def _driver(self, statement: str) -> Iterator[Any]:
        """Its cursor; errors are raised as SQLAlchemy's own execution raises them."""
        try:
            yield self._proxied.connection.cursor()
        except sqlite3.Error as exc:
            raise DBAPIError.instance(
                statement, None, exc, sqlite3.Error, hide_parameters=True
            ) from exc

    async def execute(
        self, statement: Any, parameters: Any = None, *, execution_options: Any = None
    ) -> CursorResult[Any]:
        return self._proxied.execute(statement, parameters, execution_options=execution_options)


def prepare(engine: Engine) -> None:
    """Connections of *engine* write ahead, and begin as their transaction says."""
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)


def check_file(file: Path) -> None:
    """Say what is wrong with a file before the pool meets it.

    aiosqlite, whose connection failed, leaves a thread that calls a loop that is closed.
    """
    folder = file.absolute().parent
    if not folder.is_dir():
        raise ConfigError(
            f"[database] the folder {folder} does not exist; create it, or set data_dir"
        )
    try:
        with closing(sqlite3.connect(file, timeout=5)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as exc:
        raise ConfigError(
            f"[database] cannot use {file} ({exc}); it must be a database of this gateway "
            "in a folder that can be written to: set data_dir or [database] url"
        ) from exc


def _set_pragmas(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # _begin begins; sqlite3 would defer it
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    cursor = connection.connection.cursor()  # the driver's: nothing is to be made of a result
    cursor.execute(options.get("gateway_begin", "BEGIN"))
    cursor.close()
