"""The journal: what an engine appends, the gateway reads until it deletes it."""

import logging
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.message import MessageId, uuid7
from gateway.sip.journal.reader import PARTIAL_AGE, JournalReader
from gateway.sip.journal.record import MAX_RECORD, JournalRow, row_record
from gateway.sip.journal.segment import FIRST, SEGMENT_BYTES, JournalError
from gateway.sip.journal.writer import JournalWriter

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALL = 100_000


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
    return JournalWriter(folder, power_cut=False)


def written(folder: Path, *rows: JournalRow) -> Path:
    """By an engine that has ended since; the segment it used."""
    with writer_of(folder) as writer:
        for item in rows:
            writer.append(item)
    return max(folder.glob("*.journal"))


def files(folder: Path) -> Sequence[str]:
    return sorted(path.name for path in folder.iterdir())


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


def test_an_engine_goes_on_in_the_segment_of_one_that_wrote_nothing(folder: Path) -> None:
    for _ in range(5):
        written(folder)

    assert files(folder) == ["00000001.journal"]


def test_an_engine_that_still_ends_keeps_its_segment(
    folder: Path, writer: JournalWriter, reader: JournalReader
) -> None:
    """A gateway that was killed leaves one that answers for some seconds more."""
    old, new, late = row(b"old"), row(b"new"), row(b"late")
    writer.append(old)
    with writer_of(folder) as following:
        following.append(new)
        reader.delete(reader.read(500, NOON))
        assert reader.read(500, NOON) == []

        writer.append(late)

        assert reader.read(500, NOON) == [late]
        reader.delete([late])
        assert files(folder) == ["00000001.journal", "00000002.journal"]


def test_no_two_engines_write_to_one_segment(folder: Path, reader: JournalReader) -> None:
    rows = [row(bytes([number])) for number in range(2)]

    with writer_of(folder) as one, writer_of(folder) as other:
        one.append(rows[0])
        other.append(rows[1])

    assert reader.read(500, NOON) == rows


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


@pytest.mark.parametrize("power_cut", [False, True])
def test_rows_survive_the_writer(
    folder: Path, reader: JournalReader, *, power_cut: bool
) -> None:
    kept = row(b"\x00\xff")
    with JournalWriter(folder, power_cut=power_cut) as writer:
        writer.append(kept)

    assert reader.read(500, NOON) == [kept]


def test_with_power_cuts_in_mind_each_row_is_flushed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[int] = []
    for name in ("fsync", "fdatasync"):
        monkeypatch.setattr(os, name, flushed.append, raising=False)

    with JournalWriter(folder, power_cut=True) as writer:
        opened = len(flushed)
        writer.append(row())
        writer.append(row())
        appended = len(flushed) - opened

    assert opened == (1 if sys.platform == "win32" else 2)  # the segment, and its name
    assert appended == 2


def test_a_journal_that_cannot_be_written_says_so_at_once(folder: Path) -> None:
    folder.write_text("this is no folder")

    with pytest.raises(JournalError, match="journal"), writer_of(folder):
        pass


def test_a_row_that_did_not_fit_whole_is_an_error_and_no_row(
    folder: Path, reader: JournalReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, cut = row(b"before"), row(b"cut")
    write = os.write
    with writer_of(folder) as writer:
        writer.append(before)
        monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:20]))

        with pytest.raises(JournalError, match="No space left"):
            writer.append(cut)

        monkeypatch.undo()
    after = row(b"after")
    written(folder, after)

    assert reader.read(500, NOON) == [before, after]


def test_a_row_that_could_not_be_read_again_is_refused(writer: JournalWriter) -> None:
    with pytest.raises(ValueError, match="no SIP message"):
        writer.append(row(b"x" * MAX_RECORD))


def test_a_damaged_row_is_kept_for_people_and_holds_nothing_back(
    folder: Path, reader: JournalReader, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [row(bytes([number]) * 100) for number in range(5)]
    path = written(folder, *rows)
    data = bytearray(path.read_bytes())
    size = len(row_record(rows[0]))
    data[FIRST + 2 * size + 40] ^= 0xFF
    path.write_bytes(data)

    with writer_of(folder):
        read = reader.read(500, NOON)
        reader.delete(read)
        reader.read(500, NOON)

    assert read == [*rows[:2], *rows[3:]]
    assert caplog.record_tuples[0][:2] == ("gateway.sip.journal.reader", logging.ERROR)
    assert f"{size} bytes of {path}" in caplog.text
    assert files(folder) == ["00000001.damaged", "00000002.journal"]
    assert (folder / "00000001.damaged").read_bytes()[FIRST:] == data[FIRST:]


@pytest.mark.parametrize("hole", [True, False])
def test_what_a_power_cut_took_holds_nothing_back(
    folder: Path, reader: JournalReader, *, hole: bool
) -> None:
    """Pages reach the disk in any order: rows may stand behind zeros."""
    rows = [row(bytes([number]) * 3000) for number in range(5)]
    path = written(folder, *rows)
    data = bytearray(path.read_bytes())
    size = len(row_record(rows[0]))
    lost = slice(FIRST, FIRST + 2 * size) if hole else slice(FIRST + 3 * size, len(data))
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
    (folder / "00000007.journal").write_bytes((filling * SEGMENT_BYTES)[:length])
    kept = row()

    with writer_of(folder) as writer:
        writer.append(kept)
        assert reader.read(500, NOON) == [kept]


def test_a_header_that_is_no_longer_one_brings_all_rows_again(
    folder: Path, reader: JournalReader
) -> None:
    rows = [row(b"1"), row(b"2")]
    path = written(folder, *rows)
    path.write_bytes(b"\xee" * FIRST + path.read_bytes()[FIRST:])

    assert reader.read(500, NOON) == rows


def _append(folder: Path, count: int) -> None:
    with writer_of(folder) as writer:
        for number in range(count):
            writer.append(row(number.to_bytes(4, "big") * 150))


def test_what_is_read_while_an_engine_writes_is_whole_and_in_order(
    folder: Path, reader: JournalReader, caplog: pytest.LogCaptureFixture
) -> None:
    """A read is no snapshot: it may see a later row before all of an earlier one."""
    count = 20_000
    engine = multiprocessing.get_context("spawn").Process(target=_append, args=(folder, count))
    engine.start()
    numbers = []
    while engine.is_alive() or reader.read(1, NOON):
        batch = reader.read(500, NOON)
        numbers += [int.from_bytes(item.raw[:4], "big") for item in batch]
        reader.delete(batch)
    engine.join(10)

    assert engine.exitcode == 0
    assert numbers == list(range(count))
    assert caplog.text == ""
