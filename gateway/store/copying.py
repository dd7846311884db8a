"""Copies a database into another, empty one: wholly and proven equal, or not at all."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from pydantic import SecretStr
from sqlalchemy import Connection, Table, exists, func, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.config import DatabaseSettings
from gateway.errors import ConfigError, ConflictError
from gateway.store import bulk
from gateway.store.database import Database
from gateway.store.fingerprint import Fingerprint, FingerprintReader, in_key_order
from gateway.store.rising_ids import go_on_after, last_given
from gateway.store.tables import hook_delivery, metadata

_BATCH = 500
"""Rows that are in memory at a time."""
_BATCH_OF_LARGE = 20
"""Of those whose body may have a mebibyte."""


class Step(StrEnum):
    COPIED = "copied"
    CHECKED = "checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a step has come with a table."""

    step: Step
    table: str
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedTable:
    """A table on both sides, each read by the same code."""

    name: str
    source: Fingerprint
    target: Fingerprint

    @property
    def is_equal(self) -> bool:
        return self.source == self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyReport:
    """What was read, what arrived; when they differ, nothing of it was kept."""

    source: str
    target: str
    """URLs, without passwords."""
    tables: Sequence[CopiedTable]

    @property
    def rows(self) -> int:
        return sum(table.source.rows for table in self.tables)

    @property
    def is_equal(self) -> bool:
        return all(table.is_equal for table in self.tables)


class DatabaseCopy:
    """Copies every table of *source* into *target*; both are open, and no gateway's.

    The target gets all in one transaction, committed after its rows were read back and
    found equal. So one that was interrupted, by a crash too, left nothing there.
    """

    def __init__(
        self, *, source: Database, target: Database, progress: Callable[[Progress], None]
    ) -> None:
        self._source = source
        self._target = target
        self._progress = progress
        self._interrupted = False

    async def run(self) -> CopyReport:
        """Raises ConfigError or ConflictError, with nothing done, when these two cannot be.

        Cancelled, it ends after the batch in work; during the commit it goes on to its end.
        """
        await self._prepare()
        unit = asyncio.create_task(self._source.write(self._copy_from, waits=True), name="copy")
        try:
            return await asyncio.shield(unit)
        except asyncio.CancelledError:
            self._interrupted = True
            return await unit

    async def _prepare(self) -> None:
        source, target = self._source, self._target
        if source.engine.url == target.engine.url:
            raise ConfigError(
                f"{_address(target)} is the configured database itself; name another one"
            )
        if (await source.revision()).current is None:
            raise ConfigError(
                f"the configured database {_address(source)} is new, there is nothing to copy;"
                " name the gateway's configuration by --config"
            )
        await source.prepare()
        await target.revision()
        await target.read(self._require_empty)  # before somebody's tables are upgraded
        await target.upgrade()

    async def _require_empty(self, connection: AsyncConnection) -> None:
        for table in await connection.run_sync(_existing):
            if await connection.scalar(select(exists().select_from(table))):
                raise ConflictError(
                    f"{_address(self._target)} is not empty: {table.name} has rows;"
                    " create a new database and copy to that"
                )

    async def _copy_from(self, source: AsyncConnection) -> CopyReport:
        """In one transaction of the source: of SQLite it keeps writers out."""
        if not self._source.is_sqlite:
            await source.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        return await self._target.write(partial(self._copy_into, source), waits=True)

    async def _copy_into(self, source: AsyncConnection, target: AsyncConnection) -> CopyReport:
        await self._require_empty(target)
        read = [
            await self._read(table, source, into=target) for table in metadata.sorted_tables
        ]
        for table in metadata.sorted_tables:
            await go_on_after(target, table, await last_given(source, table))
        if not self._target.is_sqlite:
            # Without it the first queries of the gateway would be planned for empty tables.
            await target.execute(text(f"ANALYZE {', '.join(metadata.tables)}"))
        tables = [
            CopiedTable(name=table.name, source=there, target=await self._read(table, target))
            for table, there in zip(metadata.sorted_tables, read, strict=True)
        ]
        report = CopyReport(
            source=_address(self._source), target=_address(self._target), tables=tables
        )
        if not report.is_equal:
            await target.rollback()
        return report

    async def _read(
        self, table: Table, connection: AsyncConnection, *, into: AsyncConnection | None = None
    ) -> Fingerprint:
        """Every row, a batch at a time; *into* gets them."""
        total = await connection.scalar(select(func.count()).select_from(table))
        batch = _BATCH_OF_LARGE if table is hook_delivery else _BATCH
        reader = FingerprintReader(table)
        async with connection.stream(
            in_key_order(connection, table), execution_options={"yield_per": batch}
        ) as result:
            async for rows in result.partitions():
                if self._interrupted:
                    raise asyncio.CancelledError
                reader.add(rows)
                if into is not None:
                    await bulk.add(into, table, rows)
                self._progress(
                    Progress(
                        step=Step.CHECKED if into is None else Step.COPIED,
                        table=table.name,
                        done=reader.rows,
                        total=total or 0,
                    )
                )
        return reader.fingerprint


def _existing(connection: Connection) -> Sequence[Table]:
    names = inspect(connection).get_table_names()
    return [table for table in metadata.sorted_tables if table.name in names]


def target_settings(url: str, password: SecretStr) -> DatabaseSettings:
    """Raises ConfigError, which repeats nothing of *url*: a part may be of the password."""
    try:
        host = make_url(url).host
    except (ArgumentError, ValueError) as exc:
        raise ConfigError(f"URL: not a database URL; {_EXAMPLES}") from exc
    if host and "@" in host:
        raise ConfigError("URL: write an @ of the password as %40, or use --password-file")
    return DatabaseSettings(url=url, password=password)


def _address(database: Database) -> str:
    """The URL of the open *database*, without its password."""
    url = database.engine.url.difference_update_query(["password"])._replace(password=None)
    return url.render_as_string()


_EXAMPLES = "write postgresql+asyncpg://user@host/name or sqlite+aiosqlite:///FILE"
