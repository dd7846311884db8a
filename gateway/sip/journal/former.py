"""The journal of gateways before 2026-11: a SQLite file, whose rows are taken over."""

import logging
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import UUID

from gateway.message import MessageId
from gateway.sip.journal.layout import JournalError
from gateway.sip.journal.record import JournalRow
from gateway.sip.journal.writer import JournalWriter, flush

log = logging.getLogger(__name__)

_NAME = "journal.db"
_DAMAGED = "damaged"
_COLUMNS = "seq, id, received_at, transport, source, partial, raw"


def take_over(folder: Path) -> None:
    """Rows of the file beside *folder* go into it, then the file goes; raises JournalError.

    Cut off between the two it is done again: the store leaves out what it has. Rows that
    cannot be read are kept in a ``journal-*.damaged``, which is SQLite, too.
    """
    path = folder.with_name(_NAME)
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as former:
            _copy(former, folder)
            if _is_there(former, _DAMAGED):
                kept = path.with_name(f"journal-{token_hex(4)}.damaged")
                former.execute("VACUUM INTO ?", (str(kept),))
        with suppress(PermissionError):  # Windows: an engine still has it; at the next start
            for suffix in ("", "-wal", "-shm"):
                path.with_name(_NAME + suffix).unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as exc:
        raise JournalError(f"{path}: {exc}") from exc
    log.info("what %s held is in %s now", path, folder)


def _copy(former: sqlite3.Connection, folder: Path) -> None:
    """Its rows to *folder*.

    The table is named anew in the same transaction: an engine of the former version that
    still ends cannot insert into it any more, and so acknowledges nothing.
    """
    former.text_factory = lambda data: data.decode("utf-8", "replace")
    former.execute("BEGIN IMMEDIATE")
    if not _is_there(former, "request"):  # all was copied before, or there is nothing
        former.execute("ROLLBACK")
        return
    damaged = False
    with JournalWriter(folder, flush=flush) as writer:
        for seq, *columns in former.execute(f"SELECT {_COLUMNS} FROM request ORDER BY seq"):  # noqa: S608  ours
            try:
                writer.append(_row(*columns))
            except (AttributeError, TypeError, ValueError) as exc:
                damaged = True
                log.error("row %s of %s is damaged, and kept: %s", seq, _NAME, exc)  # noqa: TRY400  it says what is wrong
    kept = f"{_DAMAGED}_{token_hex(4)}" if damaged else "taken_over"
    former.execute("DROP TABLE IF EXISTS taken_over")
    former.execute(f"ALTER TABLE request RENAME TO {kept}")
    former.execute("COMMIT")


def _is_there(former: sqlite3.Connection, table: str) -> bool:
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name LIKE ? || '%'"
    return former.execute(query, (table,)).fetchone() is not None


def _row(
    row_id: Any, received_at: Any, transport: Any, source: Any, partial: Any, raw: Any
) -> JournalRow:
    """Raises AttributeError, TypeError or ValueError for columns that no engine writes."""
    at = datetime.fromisoformat(received_at)
    if at.tzinfo is None or not isinstance(raw, bytes):
        raise ValueError("no time zone, or no bytes")
    return JournalRow(
        id=MessageId(UUID(row_id)),
        received_at=at,
        transport=transport.upper(),
        source=source,
        raw=raw,
        partial=bool(partial),
    )
