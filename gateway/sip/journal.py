"""The journal: a SQLite file that holds each MESSAGE from its 200 OK to the store's commit."""

import json
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from gateway.identity import split_source
from gateway.message import MessageId

log = logging.getLogger(__name__)

BUSY_SECONDS = 5.0
"""How long an append waits for the gateway's delete before it fails."""
PARTIAL_AGE = timedelta(seconds=2)
"""After this a partial row is taken as it is: the engine that would complete it died."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS request (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  received_at TEXT NOT NULL,
  transport TEXT NOT NULL,
  source TEXT NOT NULL,
  partial INTEGER NOT NULL,
  raw BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS request_partial ON request (id) WHERE partial = 1;
CREATE TABLE IF NOT EXISTS probe (id INTEGER PRIMARY KEY, written_at TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """One acknowledged MESSAGE request."""

    id: MessageId
    received_at: datetime
    transport: str
    source: str
    """``host:port``"""
    raw: bytes
    partial: bool = False
    """*raw* is shorter than what was received."""
    seq: int | None = field(default=None, compare=False)
    """Its place in the journal, of a row that was read; once it is empty, it begins anew."""


def _connect(path: Path) -> sqlite3.Connection:
    # The gateway reads in worker threads, one at a time.
    connection = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _row(
    seq: int, row_id: Any, received_at: Any, transport: Any, source: Any, raw: Any, partial: Any
) -> JournalRow:
    """Raises AttributeError, TypeError or ValueError for columns that no engine writes."""
    at = datetime.fromisoformat(received_at)
    if at.tzinfo is None or not isinstance(raw, bytes):
        raise ValueError("no time zone, or no bytes")
    split_source(source)
    return JournalRow(
        id=MessageId(UUID(row_id)),
        received_at=at,
        transport=transport.upper(),
        source=source,
        raw=raw,
        partial=bool(partial),
        seq=seq,
    )


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


class JournalWriter:
    """The engine's side: each append is a transaction of its own."""

    def __init__(self, path: Path, sync: str) -> None:
        self._path = path
        self._sync = sync
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        """Open the file and prove that it can be written; raises sqlite3.Error."""
        self._connection = _connect(self._path)
        self._connection.execute(f"PRAGMA synchronous = {self._sync}")
        self._connection.execute(
            "INSERT OR REPLACE INTO probe VALUES (1, ?)", (_text(datetime.now(UTC)),)
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def append(self, row: JournalRow) -> None:
        """Returns after the commit; raises sqlite3.Error."""
        assert self._connection is not None
        self._connection.execute(
            "INSERT INTO request (id, received_at, transport, source, partial, raw)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                str(row.id),
                _text(row.received_at),
                row.transport,
                row.source,
                int(row.partial),
                row.raw,
            ),
        )

    def complete(self, row_id: MessageId, raw: bytes) -> None:
        """Replace what a partial row holds, if the gateway has not taken it yet."""
        assert self._connection is not None
        self._connection.execute(
            "UPDATE request SET raw = ?, partial = 0 WHERE id = ? AND partial = 1",
            (raw, str(row_id)),
        )


class JournalReader:
    """The gateway's side: rows stay until they are deleted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._damaged: set[int] = set()

    def read(self, limit: int, now: datetime) -> Sequence[JournalRow]:
        """The oldest rows, without partial ones that may still be completed.

        A damaged one stays where it is, and keeps none behind it from being read.
        """
        cursor = self._open().execute(
            "SELECT seq, id, received_at, transport, source, raw, partial FROM request"
            " WHERE partial = 0 OR received_at < ? ORDER BY seq LIMIT ?",
            (_text(now - PARTIAL_AGE), limit + len(self._damaged)),
        )
        rows = []
        for seq, *columns in cursor:
            try:
                rows.append(_row(seq, *columns))
            except (AttributeError, TypeError, ValueError) as exc:
                self._tell_damaged(seq, exc)
        return rows

    def _tell_damaged(self, seq: int, error: Exception) -> None:
        if seq not in self._damaged:
            self._damaged.add(seq)
            log.error("row %d of %s is damaged and stays there: %s", seq, self._path, error)

    def delete(self, rows: Sequence[JournalRow]) -> None:
        """What the store has committed, in one transaction.

        In one statement, too: between two of them the engine, which cannot append then, would
        wait until this process has the time for the second.
        """
        self._open().execute(
            "DELETE FROM request WHERE (seq, id) IN"
            " (SELECT CAST(key AS INTEGER), value FROM json_each(?))",
            (json.dumps({row.seq: str(row.id) for row in rows}),),
        )

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = _connect(self._path)
            # A deletion is not waited for until it is on the disk: what a power cut brings
            # back is read again, and the store leaves out what it has.
            self._connection.execute("PRAGMA synchronous = NORMAL")
        return self._connection
