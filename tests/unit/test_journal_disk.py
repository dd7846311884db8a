"""The journal on a disk that is full or broken, or far behind; on Linux."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.sip.journal.file_lock import try_lock_named
from gateway.sip.journal.layout import HEADER_BYTES, SEGMENT_BYTES, JournalError
from gateway.sip.journal.reader import JournalReader
from gateway.sip.journal.record import JournalRow, row_record
from gateway.sip.journal.segment import PARTIAL_AGE
from tests.unit.journalled import NOON, files, row, writer_of, written

assert sys.platform == "linux"  # limits of a process


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def reader(folder: Path) -> Iterator[JournalReader]:
    reader = JournalReader(folder)
    yield reader
    reader.close()


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """What would make one longer is cut there, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_row_that_did_not_fit_whole_is_an_error_and_no_row(
    folder: Path, reader: JournalReader
) -> None:
    before, cut, after = row(b"before"), row(b"cut" * 100), row(b"after")
    with writer_of(folder) as writer:
        writer.append(before)
        with (
            no_file_over(HEADER_BYTES + len(row_record(before, 0)) + 50),
            pytest.raises(JournalError, match="No space left"),
        ):
            writer.append(cut)
    written(folder, after)

    assert reader.read(500, NOON) == [before, after]


def test_without_room_for_a_segment_none_is_begun(folder: Path, reader: JournalReader) -> None:
    with (
        no_file_over(SEGMENT_BYTES - 1),
        pytest.raises(JournalError, match="No space left"),
        writer_of(folder),
    ):
        pass

    assert files(folder) == []
    assert reader.read(500, NOON) == []


def test_what_cannot_be_read_is_told_once_and_holds_nothing_back(
    folder: Path, reader: JournalReader, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "00000001-0badcafe.journal").mkdir(parents=True)
    kept = row()
    written(folder, kept)

    assert reader.read(500, NOON) == [kept]
    reader.delete([kept])
    assert reader.read(500, NOON) == []

    assert caplog.text.count("00000001-0badcafe.journal cannot be used") == 1


def test_of_a_long_backlog_only_what_is_handed_out_is_open(
    folder: Path, reader: JournalReader
) -> None:
    rows = [row(bytes([number]) * 60_000) for number in range(80)]
    written(folder, *rows)
    open_before = len(list(Path("/proc/self/fd").iterdir()))

    first = reader.read(20, NOON)
    opened = len(list(Path("/proc/self/fd").iterdir())) - open_before
    reader.delete(first)
    others: list[JournalRow] = []
    while batch := reader.read(20, NOON):
        others += batch
        reader.delete(batch)

    assert opened == 2
    assert [*first, *others] == rows
    assert len(files(folder)) == 1


def test_of_old_partial_rows_only_what_is_handed_out_is_open(
    folder: Path, reader: JournalReader
) -> None:
    rows = [row(bytes([number]) * 60_000, partial=True) for number in range(80)]
    written(folder, *rows)
    open_before = len(list(Path("/proc/self/fd").iterdir()))

    assert reader.read(5, NOON + 2 * PARTIAL_AGE) == rows[:5]

    assert len(list(Path("/proc/self/fd").iterdir())) - open_before == 1


def test_a_segment_that_was_taken_away_before_it_began_is_let_go(
    folder: Path, reader: JournalReader
) -> None:
    """As an engine does that finds no room for it."""
    folder.mkdir()
    path = folder / "00000001-0badcafe.journal"
    path.write_bytes(b"SIPGWJ1")
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    assert reader.read(500, NOON) == []
    path.unlink()
    rows = [row(b"x" * 60_000) for _ in range(40)]

    written(folder, *rows)

    assert reader.read(500, NOON) == rows
    assert len(list(Path("/proc/self/fd").iterdir())) - open_before == len(files(folder))


def test_a_file_that_was_taken_away_is_not_locked(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        path.unlink()

        assert not try_lock_named(file.fileno())


def test_without_descriptors_the_journal_waits(folder: Path, reader: JournalReader) -> None:
    kept = row()
    written(folder, kept)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(JournalError, match="open files"):
            reader.read(500, NOON)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert reader.read(500, NOON) == [kept]
