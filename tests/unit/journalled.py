"""Rows for the journal, and engines that write them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from gateway.message import MessageId, uuid7
from gateway.sip.journal.record import JournalRow
from gateway.sip.journal.writer import JournalWriter

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def row(raw: bytes = b"raw", *, partial: bool = False) -> JournalRow:
    return JournalRow(
        id=MessageId(uuid7(NOON)),
        received_at=NOON,
        transport="UDP",
        source="10.0.0.5:5060",
        raw=raw,
        partial=partial,
    )


def writer_of(folder: Path) -> JournalWriter:
    return JournalWriter(folder, flush=None)


def written(folder: Path, *rows: JournalRow) -> Path:
    """By an engine that has ended since; the segment it used."""
    with writer_of(folder) as writer:
        for item in rows:
            writer.append(item)
    return max(folder.glob("*.journal"))


def files(folder: Path) -> Sequence[str]:
    return sorted(path.name for path in folder.iterdir())
