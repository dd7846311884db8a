"""The journal: what an engine appends, the gateway reads until it deletes it."""

import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.sip.journal.layout import HEADER_BYTES, SEGMENT_BYTES, JournalError
from gateway.sip.journal.reader import JournalReader
from gateway.sip.journal.record import MAX_RECORD, JournalRow, row_record
from gateway.sip.journal.segment import PARTIAL_AGE
from gateway.sip.journal.writer import Flush, JournalWriter, flush
from tests.unit.journalled import NOON, files, row, writer_of, written


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def writer(folder: Path) -> Iterator[JournalWriter]:
    with writer_of(folder) as writer:
        yield writer


@pytest.fixture
def reader(folder: Path) -> Iterator[JournalReader]:
    reader = JournalReader(folder)
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


def test_only_what_is_deleted_is_gone(writer: JournalWriter, reader: JournalReader) -> None:
    first, second = row(b"1"), row(b"2")
    writer.append(first)
    batch = reader.read(500, NOON)
    writer.append(second)

    reader.delete(batch)
    reader.delete(batch)

    assert reader.read(500, NOON) == [second]


def test_what_is_not_deleted_is_there_for_the_next_gateway(
    folder: Path, writer: JournalWriter, reader: JournalReader
) -> None:
    rows = [row(bytes([number])) for number in range(5)]
    for item in rows:
        writer.append(item)
    reader.delete(reader.read(2, NOON))

    after_a_crash = JournalReader(folder)

    assert after_a_crash.read(500, NOON) == rows[2:]
    after_a_crash.close()


def test_rows_that_are_deleted_out_of_turn_come_to_the_next_gateway_again(
    folder: Path, writer: JournalWriter, reader: JournalReader
) -> None:
    """The store leaves out what it has."""
    rows = [row(bytes([number])) for number in range(3)]
    for item in rows:
        writer.append(item)
    reader.read(500, NOON)

    reader.delete(rows[1:])

    assert reader.read(500, NOON) == rows[:1]
    after_a_crash = JournalReader(folder)
    assert after_a_crash.read(500, NOON) == rows
    after_a_crash.close()


def test_a_segment_that_is_stored_is_removed_when_the_next_has_begun(
    folder: Path, writer: JournalWriter, reader: JournalReader
) -> None:
    rows = [row(b"x" * 60_000) for _ in range(40)]
    for item in rows:
        writer.append(item)
    grown = files(folder)

    read = reader.read(500, NOON)
    reader.delete(read[:-1])
    left = reader.read(500, NOON)

    assert len(grown) == 3
    assert read == rows
    assert left == rows[-1:]
    assert files(folder) == grown[-1:]


def test_when_the_last_engine_is_gone_nothing_is_left_of_what_is_stored(
    folder: Path, reader: JournalReader
) -> None:
    written(folder, row(), row())
    reader.delete(reader.read(500, NOON))

    reader.close()

    assert files(folder) == []


def test_what_is_not_stored_outlives_the_reader(folder: Path, reader: JournalReader) -> None:
    kept = row(b"\x00\xff")
    written(folder, kept)
    reader.read(500, NOON)

    reader.close()

    assert reader.read(500, NOON) == [kept]


def test_a_partial_row_waits_for_its_completion_and_holds_nothing_back(
    writer: JournalWriter, reader: JournalReader
) -> None:
    cut, behind = row(b"begin", partial=True), row(b"behind")
    writer.append(cut)
    writer.append(behind)
    early = reader.read(500, NOON + PARTIAL_AGE)

    writer.complete(cut.id, b"begin and end")

    assert early == [behind]
    completed, _ = reader.read(500, NOON)
    assert (completed.raw, completed.partial) == (b"begin and end", False)


def test_partial_rows_do_not_take_the_places_of_whole_ones(
    writer: JournalWriter, reader: JournalReader
) -> None:
    for _ in range(10):
        writer.append(row(b"x" * 60_000, partial=True))
    whole = row()
    writer.append(whole)

    assert reader.read(3, NOON) == [whole]


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


@pytest.mark.parametrize("flushed", [None, flush])
def test_rows_survive_the_writer(
    folder: Path, reader: JournalReader, flushed: Flush | None
) -> None:
    kept = row(b"\x00\xff")
    with JournalWriter(folder, flush=flushed) as writer:
        writer.append(kept)

    assert reader.read(500, NOON) == [kept]


def test_with_power_cuts_in_mind_each_row_is_flushed(folder: Path) -> None:
    flushed: list[int] = []

    with JournalWriter(folder, flush=flushed.append) as writer:
        opened = len(flushed)
        writer.append(row())
        writer.append(row())
        appended = len(flushed) - opened

    assert opened == (1 if sys.platform == "win32" else 3)  # the segment, and the names
    assert appended == 2


def test_a_journal_that_cannot_be_written_says_so_at_once(folder: Path) -> None:
    folder.write_text("this is no folder")

    with pytest.raises(JournalError, match="journal"), writer_of(folder):
        pass


@pytest.mark.parametrize(
    ("unreadable", "why"),
    [
        (row(b"x" * MAX_RECORD), "no SIP message"),
        (replace(row(), source="nowhere"), "nowhere"),
        (replace(row(), source="[::g]:5060"), "::g"),
        (replace(row(), transport="x" * 256), "no row"),
    ],
)
def test_a_row_that_could_not_be_read_again_is_refused(
    writer: JournalWriter, reader: JournalReader, unreadable: JournalRow, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        writer.append(unreadable)

    assert reader.read(500, NOON) == []


def test_a_damaged_row_is_kept_for_people_and_holds_nothing_back(
    folder: Path, reader: JournalReader, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [row(bytes([number]) * 100) for number in range(5)]
    path = written(folder, *rows)
    data = bytearray(path.read_bytes())
    size = len(row_record(rows[0], 0))
    data[HEADER_BYTES + 2 * size + 40] ^= 0xFF
    path.write_bytes(data)

    with writer_of(folder):
        read = reader.read(500, NOON)
        reader.delete(read)
        reader.read(500, NOON)

    assert read == [*rows[:2], *rows[3:]]
    assert caplog.record_tuples[0][:2] == ("gateway.sip.journal.segment", logging.ERROR)
    assert f"{size} bytes of {path}" in caplog.text
    kept, _ = files(folder)
    assert kept == path.with_suffix(".damaged").name
    assert (folder / kept).read_bytes()[HEADER_BYTES:] == data[HEADER_BYTES:]


@pytest.mark.parametrize("hole", [True, False])
def test_what_a_power_cut_took_holds_nothing_back(
    folder: Path, reader: JournalReader, *, hole: bool
) -> None:
    """Pages reach the disk in any order: rows may stand behind zeros."""
    rows = [row(bytes([number]) * 3000) for number in range(5)]
    path = written(folder, *rows)
    data = bytearray(path.read_bytes())
    size = len(row_record(rows[0], 0))
    lost = (
        slice(HEADER_BYTES, HEADER_BYTES + 2 * size)
        if hole
        else slice(HEADER_BYTES + 3 * size, len(data))
    )
    data[lost] = bytes(len(data[lost]))
    path.write_bytes(data)

    with writer_of(folder):
        read = reader.read(500, NOON)

    assert read == (rows[2:] if hole else rows[:3])


@pytest.mark.parametrize("length", [0, 1, 31, 32, 50, 4096, SEGMENT_BYTES - 1])
@pytest.mark.parametrize("filling", [b"\0", b"\xff", b"\xabMSG", b"journal "])
def test_a_file_that_is_something_else_holds_nothing_back(
    folder: Path, reader: JournalReader, length: int, filling: bytes
) -> None:
    folder.mkdir()
    foreign = (filling * SEGMENT_BYTES)[:length]
    path = folder / "00000007-0badcafe.journal"
    path.write_bytes(foreign)
    kept = row()

    with writer_of(folder) as writer:
        writer.append(kept)
        assert reader.read(500, NOON) == [kept]

    assert not path.exists()
    if foreign.strip(b"\0"):
        assert path.with_suffix(".damaged").read_bytes() == foreign


def test_a_header_that_is_no_longer_one_brings_all_rows_again(
    folder: Path, reader: JournalReader
) -> None:
    rows = [row(b"1"), row(b"2")]
    path = written(folder, *rows)
    path.write_bytes(b"\xee" * HEADER_BYTES + path.read_bytes()[HEADER_BYTES:])

    assert reader.read(500, NOON) == rows


def test_damage_where_an_engine_still_writes_holds_nothing_back(
    folder: Path, writer: JournalWriter, reader: JournalReader, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [row(bytes([number]) * 100) for number in range(3)]
    for item in rows:
        writer.append(item)
    [path] = folder.iterdir()
    with path.open("r+b") as file:
        file.seek(HEADER_BYTES + len(row_record(rows[0], 0)) + 40)
        file.write(b"damage")

    assert reader.read(500, NOON) == [rows[0], rows[2]]
    assert caplog.text.count("are no message") == 1


def test_a_message_that_contains_a_row_brings_none(
    folder: Path, reader: JournalReader, caplog: pytest.LogCaptureFixture
) -> None:
    """Its sender knows what a row looks like, and not this segment's seed."""
    forged = row_record(row(b"forged"), 0)
    carrier, behind = row(b"begin " + forged + b" end"), row(b"behind")
    path = written(folder, carrier, behind)
    data = bytearray(path.read_bytes())
    data[HEADER_BYTES + 20] ^= 1
    path.write_bytes(data)

    with writer_of(folder):
        assert reader.read(500, NOON) == [behind]

    assert "are no message" in caplog.text


@pytest.mark.parametrize("limit", [1, 7, 500])
def test_a_completion_is_found_wherever_it_stands(
    folder: Path, writer: JournalWriter, reader: JournalReader, limit: int
) -> None:
    """In the next segment, perhaps; also when the gateway comes to it late."""
    sizes = [*range(1, 40)] * 10
    for size in sizes:
        cuts = [row(b"begin" * size * 20, partial=True) for _ in range(2)]
        for cut in cuts:
            writer.append(cut)
        for cut in cuts:
            writer.complete(cut.id, b"begin and end" * size * 20)

    late = NOON + 2 * PARTIAL_AGE
    rows: list[JournalRow] = []
    while batch := reader.read(limit, late):
        rows += batch
        reader.delete(batch)

    assert len(rows) == 2 * len(sizes)
    assert not any(item.partial for item in rows)


def test_a_header_with_a_wrong_bit_skips_nothing(folder: Path, reader: JournalReader) -> None:
    rows = [row(b"x" * 100) for _ in range(10)]
    path = written(folder, *rows)
    data = bytearray(path.read_bytes())
    data[9] ^= 2  # 512 bytes taken
    path.write_bytes(data)

    assert reader.read(500, NOON) == rows
