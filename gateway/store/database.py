"""The database: an engine whose every unit of work is one transaction."""

import asyncio
import sqlite3
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterator,
    Sequence,
)
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import URL, Connection, Table, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    ArgumentError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
    TimeoutError as PoolTimeout,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from gateway.config import DatabaseSettings
from gateway.errors import ConfigError, ConflictError, StorageUnavailable
from gateway.ports import Health
from gateway.store import schema
from gateway.store.claim import claim

SQLITE = "sqlite+aiosqlite"
POSTGRESQL = "postgresql+asyncpg"
FILE_NAME = "gateway.db"

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]
"""What is done in one transaction."""

_OPTIONS: dict[str, dict[str, Any]] = {
    # Only another process can hold the file, such as `db upgrade`.
    SQLITE: {"connect_args": {"timeout": 5}},
    # A connection that PostgreSQL's restart ended is found out before a unit uses it.
    POSTGRESQL: {"connect_args": {"timeout": 5}, "pool_pre_ping": True},
}
_WRITING = {"gateway_begin": "BEGIN IMMEDIATE"}


class StatementRefused(StorageUnavailable):
    """The database is there, but refuses this statement."""


class Database:
    """Opens the engine; runs units of work, each in a transaction of its own.

    A unit runs to its end even when its caller is cancelled: a driver whose connection is
    cut off in a transaction leaves it unknown whether that was committed. On SQLite the
    one writer at a time is queued for here: SQLite's own waiters sleep, and overtake.
    """

    def __init__(self, *, settings: DatabaseSettings, data_dir: Path) -> None:
        self._settings = settings
        self._data_dir = data_dir
        self._writer = asyncio.Lock()
        self._units: set[asyncio.Task[Any]] = set()
        self._engine: AsyncEngine | None = None
        self._writing: AsyncEngine | None = None
        self._unavailable: tuple[type[Exception], ...] = (OSError,)
        self._unwritable = ""
        """Why the last unit that writes could not."""

    async def __aenter__(self) -> Self:
        """Raises ConfigError when there can be no such database."""
        url = _url(self._settings, self._data_dir)
        if url.drivername == SQLITE:
            await asyncio.to_thread(_check_file, Path(url.database or ""))
        try:
            engine = create_async_engine(url, **_OPTIONS[url.drivername])
        except ModuleNotFoundError as exc:
            raise ConfigError(
                f"[database] url: {url.drivername} needs the module {exc.name}; "
                'install it with: pip install "sip-message-gateway[postgres]"'
            ) from exc
        self._engine = engine
        self._writing = engine.execution_options(**_WRITING)
        self._unavailable = _connection_errors(engine)
        if self.is_sqlite:
            event.listen(engine.sync_engine, "connect", _set_pragmas)
            event.listen(engine.sync_engine, "begin", _begin)
        try:
            await self.write(_select_one)
        except StorageUnavailable:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        if self._units:
            await asyncio.wait(self._units)
        await self.engine.dispose()
        self._engine = self._writing = None

    @property
    def engine(self) -> AsyncEngine:
        assert self._engine is not None, "the database is not open"
        return self._engine

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    async def read(self, work: Work[T]) -> T:
        """Run *work* in a transaction that only reads."""
        return await self._unit(self._run(self.engine, work))

    async def write(self, work: Work[T]) -> T:
        """Run *work* in a transaction; returns after its commit.

        Raises ConflictError when a row of this key is there, StorageUnavailable for any
        other failure; nothing was changed, unless what failed was the acknowledgement.
        """
        return await self._unit(self._write(work))

    async def _unit(self, unit: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(unit, name="unit of work")
        self._units.add(task)
        task.add_done_callback(self._units.discard)
        task.add_done_callback(_retrieve)
        return await asyncio.shield(task)

    async def _write(self, work: Work[T]) -> T:
        assert self._writing is not None, "the database is not open"
        if not self.is_sqlite:
            return await self._committed(self._writing, work)
        async with self._writer:
            return await self._committed(self._writing, work)

    async def _committed(self, engine: AsyncEngine, work: Work[T]) -> T:
        try:
            result = await self._run(engine, work)
        except StatementRefused:
            raise
        except StorageUnavailable as exc:
            self._unwritable = str(exc)
            raise
        self._unwritable = ""
        return result

    async def _run(self, engine: AsyncEngine, work: Work[T]) -> T:
        with self._translated():
            async with engine.begin() as connection:
                return await work(connection)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError as exc:
            raise ConflictError(f"the store has it already: {exc.orig}") from exc
        except self._unavailable as exc:
            raise StorageUnavailable(f"database: {_reason(exc)}") from exc
        except SQLAlchemyError as exc:
            raise StatementRefused(f"database: {_reason(exc)}") from exc

    @asynccontextmanager
    async def claimed(self) -> AsyncIterator[None]:
        """While this is the one gateway on the database; raises AlreadyRunning.

        Two would answer each other's inbound messages. A file needs no claim, as its data
        folder has a lock. Where the claim is lost with its connection, the gateway goes on.
        """
        if self.is_sqlite:
            yield
            return
        with self._translated():
            connection = await self.engine.connect()
        try:
            with self._translated():
                await claim(connection)
            yield
        finally:
            await connection.invalidate()  # in the pool, it would hold the claim on
            await connection.close()

    async def health(self) -> Sequence[Health]:
        """Whether it can be read, and took what was written last.

        What could not be written is tried again and again, so this does not stay.
        """
        if self._unwritable:
            return [Health("database", ok=False, detail=self._unwritable)]
        try:
            await self.read(_select_one)
        except StorageUnavailable as exc:
            return [Health("database", ok=False, detail=str(exc))]
        return [Health("database", ok=True, detail=self.engine.dialect.name)]

    async def revision(self) -> schema.Revision:
        """For ``db status``."""
        return await self.read(_run_sync(schema.revision))

    async def upgrade(self) -> schema.Revision:
        """Bring the schema to this version's revision; ConfigError when it is newer."""
        return await self.write(_run_sync(schema.upgrade))

    async def prepare(self) -> None:
        """What a starting gateway needs: a schema of this version's revision.

        Upgrades if ``auto_upgrade`` is on, which it is by default on SQLite; otherwise
        raises ConfigError when there is something to upgrade.
        """
        revision = await self.revision()
        if revision.is_current:
            return
        automatic = self._settings.auto_upgrade
        if self.is_sqlite if automatic is None else automatic:
            await self.upgrade()
            return
        raise ConfigError(
            f"the database has revision {revision.current or 'none'}, this version needs "
            f"{revision.head}; type: sip-gateway db upgrade"
        )


def insert_into(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def _url(settings: DatabaseSettings, data_dir: Path) -> URL:
    if not settings.url:
        return URL.create(SQLITE, database=str(data_dir / FILE_NAME))
    try:
        url = make_url(settings.url)
    except ArgumentError as exc:
        raise ConfigError("[database] url: not a database URL; " + _EXAMPLES) from exc
    if url.drivername not in _OPTIONS:
        raise ConfigError(f"[database] url: {url.drivername} is not supported; {_EXAMPLES}")
    if url.drivername == SQLITE and url.database in {None, "", ":memory:"}:
        raise ConfigError("[database] url: names no file; " + _EXAMPLES)
    password = settings.password.get_secret_value()
    return url.set(password=password) if password and url.drivername == POSTGRESQL else url


_EXAMPLES = f"write {SQLITE}:///FILE or {POSTGRESQL}://user:password@host/name"


def _connection_errors(engine: AsyncEngine) -> tuple[type[Exception], ...]:
    """What says that the database is away; a driver that connects raises its own."""
    errors = (OperationalError, InterfaceError, PoolTimeout, OSError)
    if engine.dialect.name == "sqlite":
        return (*errors, sqlite3.Error)
    driver: Any = engine.dialect.dbapi
    return (*errors, driver.asyncpg.PostgresError, driver.asyncpg.InterfaceError)


def _check_file(file: Path) -> None:
    """Say what is wrong with a SQLite file before the pool meets it.

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


def _reason(exc: Exception) -> str:
    """The driver's words, without the statement: its parameters hold people's messages."""
    cause = getattr(exc, "orig", None) or exc
    return str(cause) or type(cause).__name__


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Nobody is left to hear of an error after its caller was cancelled."""
    if not task.cancelled():
        task.exception()


def _set_pragmas(connection: Any, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # _begin begins; sqlite3 would defer it
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    connection.exec_driver_sql(options.get("gateway_begin", "BEGIN"))


def _run_sync(function: Callable[[Connection], T]) -> Work[T]:
    async def work(connection: AsyncConnection) -> T:
        return await connection.run_sync(function)

    return work


async def _select_one(connection: AsyncConnection) -> None:
    await connection.execute(text("SELECT 1"))
