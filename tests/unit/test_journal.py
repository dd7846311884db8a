import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.message import MessageId, uuid7
from gateway.sip.journal import PARTIAL_AGE, JournalReader, JournalRow, JournalWriter

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


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[JournalWriter]:
    with JournalWriter(tmp_path / "journal.db", "normal") as writer:
        yield writer


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[JournalReader]:
    reader = JournalReader(tmp_path / "journal.db")
    yield reader
    reader.close()


def test_rows_come_back_in_the_order_they_were_appended(
    writer: JournalWriter, reader: JournalReader
) -> None:
    rows = [row(bytes([number])) for number in range(5)]
    for item in rows:
        writer.append(item)

    assert reader.read(3, NOON) == rows[:3]
    assert reader.read(500, NOON) == rows


def test_only_what_is_deleted_by_id_is_gone(
    writer: JournalWriter, reader: JournalReader
) -> None:
    first, second = row(b"1"), row(b"2")
    writer.append(first)
    batch = reader.read(500, NOON)
    writer.append(second)

    reader.delete(batch)

    assert reader.read(500, NOON) == [second]


def test_a_batch_deleted_twice_takes_no_other_row_with_it(
    writer: JournalWriter, reader: JournalReader
) -> None:
    """A journal that is empty begins again at its first place."""
    writer.append(row(b"old"))
    batch = reader.read(500, NOON)
    reader.delete(batch)
    new = row(b"new")
    writer.append(new)

    reader.delete(batch)

    assert reader.read(500, NOON) == [new]


def test_a_journal_of_an_older_version_is_read_and_appended_to(
    tmp_path: Path, reader: JournalReader
) -> None:
    """Its ids were unique."""
    with closing(sqlite3.connect(tmp_path / "journal.db")) as old:
        old.execute(
            "CREATE TABLE request (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
            " received_at TEXT NOT NULL, transport TEXT NOT NULL, source TEXT NOT NULL,"
            " partial INTEGER NOT NULL, raw BLOB NOT NULL)"
        )
        old.execute(
            "INSERT INTO request VALUES (7, ?, ?, 'UDP', '10.0.0.5:5060', 0, x'6f6c64')",
            (str(uuid7(NOON)), NOON.isoformat()),
        )
        old.commit()

    with JournalWriter(tmp_path / "journal.db", "normal") as writer:
        writer.append(row(b"new"))
    batch = reader.read(500, NOON)
    reader.delete(batch)

    assert [item.raw for item in batch] == [b"old", b"new"]
    assert reader.read(500, NOON) == []


def test_a_delete_that_failed_can_be_made_again(
    writer: JournalWriter, reader: JournalReader, tmp_path: Path
) -> None:
    writer.append(row())
    batch = reader.read(500, NOON)
    with closing(sqlite3.connect(tmp_path / "journal.db")) as disk:
        disk.execute(
            "CREATE TRIGGER full BEFORE DELETE ON request"
            " BEGIN SELECT RAISE (ABORT, 'disk full'); END"
        )
        with pytest.raises(sqlite3.Error, match="disk full"):
            reader.delete(batch)
        writer.append(row())  # nothing is locked
        disk.execute("DROP TRIGGER full")

    reader.delete(batch)

    assert len(reader.read(500, NOON)) == 1


def test_a_partial_row_waits_for_its_completion(
    writer: JournalWriter, reader: JournalReader
) -> None:
    cut = row(b"begin", partial=True)
    writer.append(cut)
    early = reader.read(500, NOON + PARTIAL_AGE)

    writer.complete(cut.id, b"begin and end")

    assert early == []
    (completed,) = reader.read(500, NOON)
    assert (completed.raw, completed.partial) == (b"begin and end", False)


def test_an_old_partial_row_is_taken_as_it_is(
    writer: JournalWriter, reader: JournalReader
) -> None:
    cut = row(b"begin", partial=True)
    writer.append(cut)

    rows = reader.read(500, NOON + PARTIAL_AGE + timedelta(microseconds=1))

    assert rows == [cut]


def test_completing_a_row_that_was_taken_does_nothing(
    writer: JournalWriter, reader: JournalReader
) -> None:
    writer.complete(row().id, b"late")

    assert reader.read(500, NOON) == []


def test_a_reader_without_an_engine_finds_an_empty_journal(reader: JournalReader) -> None:
    assert reader.read(500, NOON) == []


def test_rows_survive_the_writer(tmp_path: Path, reader: JournalReader) -> None:
    kept = row(b"\x00\xff")
    with JournalWriter(tmp_path / "journal.db", "full") as writer:
        writer.append(kept)

    assert reader.read(500, NOON) == [kept]


def test_a_journal_that_cannot_be_written_says_so_at_once(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_text("this is no database, but it is long enough" * 100)

    with pytest.raises(sqlite3.Error), JournalWriter(tmp_path / "journal.db", "normal"):
        pass


@pytest.mark.parametrize("kept", [0, 1, 50, 4096, 9000])
def test_a_file_that_was_cut_or_overwritten_is_an_error_of_sqlite(
    tmp_path: Path, kept: int
) -> None:
    path = tmp_path / "journal.db"
    with JournalWriter(path, "normal") as writer:
        for _ in range(200):
            writer.append(row(b"x" * 500))
    whole = path.read_bytes()
    path.write_bytes(whole[:kept] + b"\xff" * 8192)
    reader = JournalReader(path)

    with pytest.raises(sqlite3.Error):
        reader.read(500, NOON)
    with pytest.raises(sqlite3.Error), JournalWriter(path, "normal") as writer:
        writer.append(row())

    reader.close()
