"""The database: an engine whose every unit of work is one transaction."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import URL, Connection, Table, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
    TimeoutError as PoolTimeout,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.config import DatabaseSettings
from gateway.errors import ConfigError, ConflictError, StorageUnavailable
from gateway.ports import Health
from gateway.store import schema, sqlite as sqlite_file
from gateway.store.claim import claim, claim_whole, one_upgrade_at_a_time
from gateway.store.sqlite import SqliteThreads
from gateway.store.work import Work

SQLITE = "sqlite+aiosqlite"
POSTGRESQL = "postgresql+asyncpg"
FILE_NAME = "gateway.db"

T = TypeVar("T")

_OPTIONS: dict[str, dict[str, Any]] = {
    SQLITE: {"connect_args": sqlite_file.CONNECT_ARGS},
    POSTGRESQL: {"connect_args": {"timeout": 5}},
}


class StatementRefused(StorageUnavailable):
    """The database is there, but refuses this statement."""


class Database:
    """Opens the engine; runs units of work, each in a transaction of its own.

    A unit runs to its end even when its caller is cancelled: a driver whose connection is
    cut off in a transaction leaves it unknown whether that was committed. On SQLite the
    one writer at a time is queued for here: SQLite's own waiters sleep, and overtake.
    """

    def __init__(self, *, settings: DatabaseSettings, data_dir: Path, node: str = "") -> None:
        """*node* is the id of the gateway that uses it; empty for a command."""
        self.node = node
        self._settings = settings
        self._data_dir = data_dir
        self._writer = asyncio.Lock()
        self._units: set[asyncio.Task[Any]] = set()
        self._engine: AsyncEngine | None = None
        self._writing: AsyncEngine | None = None
        self._threads: SqliteThreads | None = None
        self._unavailable: tuple[type[Exception], ...] = (OSError,)
        self._unwritable = ""
        """Why the last unit that writes could not."""

    async def __aenter__(self) -> Self:
        """Raises ConfigError when there can be no such database."""
        url = _url(self._settings, self._data_dir)
        if url.drivername == SQLITE:
            await asyncio.to_thread(sqlite_file.check_file, Path(url.database or ""))
        try:
            # A statement's parameters hold people's messages: no traceback quotes them.
            engine = create_async_engine(url, hide_parameters=True, **_OPTIONS[url.drivername])
        except ModuleNotFoundError as exc:
            raise ConfigError(
                f"[database] url: {url.drivername} needs the module {exc.name}; "
                'install it with: pip install "sip-message-gateway[postgres]"'
            ) from exc
        self._engine = engine
        self._writing = engine.execution_options(**sqlite_file.WRITING)
        self._unavailable = _connection_errors(engine)
        if self.is_sqlite:
            sqlite_file.prepare(engine.sync_engine)
            self._threads = SqliteThreads(engine)
        else:
            event.listen(engine.sync_engine, "checkout", _require_open)
        try:
            await self.write(_select_one)
        except StorageUnavailable as exc:
            await self._close()
            raise StorageUnavailable(f"{exc}; {_REMEDY[url.drivername]}") from exc
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
        if self._threads is not None:
            await asyncio.to_thread(self._threads.close)
        await self.engine.dispose()
        self._engine = self._writing = self._threads = None

    @property
    def engine(self) -> AsyncEngine:
        assert self._engine is not None, "the database is not open"
        return self._engine

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    async def read(self, work: Work[T]) -> T:
        """Run *work* in a transaction that only reads."""
        return await self._unit(self._read(work))

    async def write(self, work: Work[T], *, waits: bool = False) -> T:
        """Run *work* in a transaction; returns after its commit.

        *waits*: for more than its connection, so that SQLite's threads cannot run it.
        Raises ConflictError when a row of this key is there, StorageUnavailable for any
        other failure; nothing was changed, unless what failed was the acknowledgement.
        """
        return await self._unit(self._write(work, waits=waits))

    async def write_in_turn(self, begin: Callable[[], Work[T]]) -> T:
        """As ``write``, of the work that *begin* gives when its turn to write has come."""
        return await self._unit(self._write_in_turn(begin))

    async def _unit(self, unit: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(unit, name="unit of work")
        self._units.add(task)
        task.add_done_callback(self._units.discard)
        task.add_done_callback(_retrieve)
        return await asyncio.shield(task)

    async def _read(self, work: Work[T]) -> T:
        with self.translated():
            if self._threads is not None:
                return await self._threads.read(work)
            return await _run(self.engine, work)

    async def _write(self, work: Work[T], *, waits: bool) -> T:
        if not self.is_sqlite:
            return await self._committed(work, waits=waits)
        async with self._writer:
            return await self._committed(work, waits=waits)

    async def _write_in_turn(self, begin: Callable[[], Work[T]]) -> T:
        if not self.is_sqlite:
            return await self._committed(begin(), waits=False)
        async with self._writer:
            return await self._committed(begin(), waits=False)

    async def _committed(self, work: Work[T], *, waits: bool) -> T:
        assert self._writing is not None, "the database is not open"
        try:
            with self.translated():
                if self._threads is not None and not waits:
                    result = await self._threads.write(work)
                else:
                    result = await _run(self._writing, work)
        except StatementRefused:
            raise
        except StorageUnavailable as exc:
            self._unwritable = str(exc)
            raise
        self._unwritable = ""
        return result

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise what the driver raises as this gateway's own errors."""
        try:
            yield
        except IntegrityError as exc:
            raise ConflictError(f"the store has it already: {exc.orig}") from exc
        except self._unavailable as exc:
            raise StorageUnavailable(f"database: {_reason(exc)}") from exc
        except SQLAlchemyError as exc:
            if isinstance(exc, DBAPIError) and exc.connection_invalidated:
                raise StorageUnavailable(f"database: {_reason(exc)}") from exc
            raise StatementRefused(f"database: {_reason(exc)}") from exc

    @asynccontextmanager
    async def claimed(self) -> AsyncIterator[None]:
        """While this is the one gateway of its id there; raises AlreadyRunning.

        Two would answer each other's inbound messages. A command claims all of the
        database. A file needs no claim, as its data folder has a lock. Where the claim is
        lost with its connection, the gateway goes on.
        """
        if self.is_sqlite:
            yield
            return
        async with self.connected() as connection:
            with self.translated():
                await (claim(connection, self.node) if self.node else claim_whole(connection))
            yield

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[AsyncConnection]:
        """A connection of its own to PostgreSQL, without transactions, for what lasts.

        What locks or listens would do so on in the pool: the connection ends.
        """
        with self.translated():
            connection = await self.engine.connect()
        try:
            with self.translated():
                yielded = await connection.execution_options(isolation_level="AUTOCOMMIT")
            yield yielded
        finally:
            await connection.invalidate()
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

        async def work(connection: AsyncConnection) -> schema.Revision:
            if not self.is_sqlite:
                await one_upgrade_at_a_time(connection)
            return await connection.run_sync(schema.upgrade)

        return await self.write(work)

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


_REMEDY = {
    SQLITE: "see that the file is free, and can be written to",
    POSTGRESQL: "see that the server runs, and check the database's URL and password",
}
_EXAMPLES = f"write {SQLITE}:///FILE or {POSTGRESQL}://user:password@host/name"


def _connection_errors(engine: AsyncEngine) -> tuple[type[Exception], ...]:
    """What says that the database is away; a driver that connects raises its own."""
    errors = (OperationalError, InterfaceError, PoolTimeout, OSError)
    if engine.dialect.name == "sqlite":
        return (*errors, sqlite3.Error)
    driver: Any = engine.dialect.dbapi
    return (*errors, driver.asyncpg.PostgresError, driver.asyncpg.InterfaceError)


def _require_open(connection: Any, *_: Any) -> None:
    """Have the pool replace a connection that PostgreSQL's restart ended.

    The socket has told of that. To ask the server, as the pool would, is three round trips
    more for each unit of work.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError("the server ended it")


def _reason(exc: Exception) -> str:
    """The driver's words, without the statement: its parameters hold people's messages."""
    cause = getattr(exc, "orig", None) or exc
    return str(cause) or type(cause).__name__


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Nobody is left to hear of an error after its caller was cancelled."""
    if not task.cancelled():
        task.exception()


async def _run(engine: AsyncEngine, work: Work[T]) -> T:
    async with engine.begin() as connection:
        return await work(connection)


def _run_sync(function: Callable[[Connection], T]) -> Work[T]:
    async def work(connection: AsyncConnection) -> T:
        return await connection.run_sync(function)

    return work


async def _select_one(connection: AsyncConnection) -> None:
    await connection.execute(text("SELECT 1"))
