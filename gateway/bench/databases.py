"""The databases that are written to, counted from outside."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gateway.bench.processes import run


class CountedDatabase(Protocol):
    """A database of one trial."""

    async def count(self, table: str, condition: str = "true") -> int:
        """Rows of *table* that are committed; *condition* is SQL."""
        ...


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A file that another process writes."""

    path: Path

    async def count(self, table: str, condition: str = "true") -> int:
        return await asyncio.to_thread(self._count, table, condition)

    def _count(self, table: str, condition: str) -> int:
        query = f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608  the bench's own
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            [(count,)] = connection.execute(query)
            return int(count)


@dataclass(frozen=True, slots=True)
class PostgreSqlDatabase:
    """A database of its own on a server, as ``psql`` takes it."""

    url: str = field(repr=False)

    async def count(self, table: str, condition: str = "true") -> int:
        query = f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608  the bench's own
        return int(await self.execute("-c", query))

    async def execute(self, *options: str) -> str:
        return await run("psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", self.url, *options)
