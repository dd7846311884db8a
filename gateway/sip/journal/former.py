"""The journal of gateways before 2026-11: a SQLite file, whose rows are taken over."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from uuid import UUID

from gateway.message import MessageId
from gateway.sip.journal.record import JournalRow
from gateway.sip.journal.segment import JournalError
from gateway.sip.journal.writer import JournalWriter

log = logging.getLogger(__name__)

_NAME = "journal.db"


def take_over(folder: Path) -> None:
    """Rows of the file beside *folder* go into it, then the file goes; raises JournalError.

    Cut off between the two it is done again: the store leaves out what it has.
    """
    path = folder.with_name(_NAME)
    if not path.exists():
        return
    try:
        with JournalWriter(folder, power_cut=True) as writer:
            for row in _rows(path):
                writer.append(row)
        path.unlink()
    except (OSError, sqlite3.Error, ValueError) as exc:
        raise JournalError(f"{path}: {exc}; mend it, or move it away") from exc
    log.info("what %s held is in %s", path, folder)


def _rows(path: Path) -> Iterator[JournalRow]:
    with closing(sqlite3.connect(path)) as former:
        for row_id, received_at, transport, source, partial, raw in former.execute(
            "SELECT id, received_at, transport, source, partial, raw FROM request ORDER BY seq"
        ):
            yield JournalRow(
                id=MessageId(UUID(row_id)),
                received_at=datetime.fromisoformat(received_at),
                transport=transport,
                source=source,
                raw=raw,
                partial=bool(partial),
            )
