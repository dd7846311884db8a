"""What a former version left in its journal."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from gateway.message import uuid7
from gateway.sip.journal.former import take_over
from gateway.sip.journal.layout import JournalError
from gateway.sip.journal.reader import JournalReader

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def former(data_dir: Path, *raws: bytes) -> list[UUID]:
    ids = [uuid7(NOON) for _ in raws]
    with closing(sqlite3.connect(data_dir / "journal.db")) as file:
        file.execute("PRAGMA journal_mode = WAL")
        file.execute(
            "CREATE TABLE request (seq INTEGER PRIMARY KEY, id TEXT NOT NULL,"
            " received_at TEXT NOT NULL, transport TEXT NOT NULL, source TEXT NOT NULL,"
            " partial INTEGER NOT NULL, raw BLOB NOT NULL)"
        )
        file.executemany(
            "INSERT INTO request VALUES (NULL, ?, ?, 'UDP', '10.0.0.5:5060', 0, ?)",
            [(str(i), NOON.isoformat(), raw) for i, raw in zip(ids, raws, strict=True)],
        )
        file.commit()
    return ids


def test_its_rows_are_taken_over_and_the_file_goes(tmp_path: Path) -> None:
    ids = former(tmp_path, b"one", b"two")

    take_over(tmp_path / "journal")
    take_over(tmp_path / "journal")

    reader = JournalReader(tmp_path / "journal")
    rows = reader.read(500, NOON)
    reader.close()
    assert [(row.id, row.raw, row.received_at) for row in rows] == [
        (ids[0], b"one", NOON),
        (ids[1], b"two", NOON),
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["journal"]


def test_without_one_nothing_happens(tmp_path: Path) -> None:
    take_over(tmp_path / "journal")

    assert list(tmp_path.iterdir()) == []


def test_an_engine_that_still_ends_can_journal_nothing_there_any_more(tmp_path: Path) -> None:
    """So that it acknowledges nothing that nobody would read."""
    former(tmp_path, b"one")
    with closing(sqlite3.connect(tmp_path / "journal.db")) as engine:
        insert = "INSERT INTO request (id, received_at, transport, source, partial, raw)"
        values = (str(uuid7(NOON)), NOON.isoformat(), "UDP", "10.0.0.5:5060", 0, b"late")
        engine.execute(f"{insert} VALUES (?, ?, ?, ?, ?, ?)", values)
        engine.rollback()

        take_over(tmp_path / "journal")

        with pytest.raises(sqlite3.OperationalError):
            engine.execute(f"{insert} VALUES (?, ?, ?, ?, ?, ?)", values)
    take_over(tmp_path / "journal")  # Windows removes nothing that is open
    assert [path.name for path in tmp_path.iterdir()] == ["journal"]


@pytest.mark.parametrize(
    "damage",
    [
        "raw = 'text'",
        "id = 'no UUID'",
        "id = X'ff'",
        "received_at = 'noon'",
        "received_at = '2026-11-22T12:00:00'",
        "received_at = 5",
        "source = X'00'",
        "source = 'nowhere'",
        "source = '[::g]:5060'",
    ],
)
def test_a_damaged_row_stays_for_people_and_the_others_are_taken_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    ids = former(tmp_path, b"one", b"two", b"three")
    with closing(sqlite3.connect(tmp_path / "journal.db")) as engine:
        engine.execute(f"UPDATE request SET {damage} WHERE seq = 2")  # noqa: S608  ours
        engine.commit()

        take_over(tmp_path / "journal")

    reader = JournalReader(tmp_path / "journal")
    assert [row.id for row in reader.read(500, NOON)] == [ids[0], ids[2]]
    reader.close()
    assert "row 2 of" in caplog.text
    [kept] = tmp_path.glob("journal-*.damaged")
    with closing(sqlite3.connect(kept)) as file:
        [(table,)] = file.execute("SELECT name FROM sqlite_master")
        assert file.execute(f"SELECT count(*) FROM {table}").fetchone() == (3,)  # noqa: S608


def test_one_that_cannot_be_read_stays_and_is_named(tmp_path: Path) -> None:
    content = b"this is no database" * 100
    (tmp_path / "journal.db").write_bytes(content)

    with pytest.raises(JournalError, match=r"journal\.db"):
        take_over(tmp_path / "journal")

    assert (tmp_path / "journal.db").read_bytes() == content
