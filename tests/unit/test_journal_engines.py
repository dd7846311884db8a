"""The journal while engines begin, end and are killed."""

import multiprocessing
from collections.abc import Iterator
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from gateway.sip.journal.reader import JournalReader
from tests.unit.journalled import NOON, files, row, writer_of, written

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def reader(folder: Path) -> Iterator[JournalReader]:
    reader = JournalReader(folder)
    yield reader
    reader.close()


def numbered(number: int) -> bytes:
    return number.to_bytes(4, "big") * 150


def taken(reader: JournalReader) -> list[int]:
    """The numbers of rows that are read, and deleted."""
    batch = reader.read(500, NOON)
    reader.delete(batch)
    return [int.from_bytes(item.raw[:4], "big") for item in batch]


def test_an_engine_goes_on_where_the_one_before_ended(
    folder: Path, reader: JournalReader
) -> None:
    """One that dies again and again fills no disk."""
    rows = [row(bytes([number])) for number in range(5)]
    written(folder)
    for item in rows:
        written(folder, item)

    assert reader.read(500, NOON) == rows
    assert len(files(folder)) == 1


def test_an_engine_that_still_ends_keeps_its_segment(
    folder: Path, reader: JournalReader
) -> None:
    """A gateway that was killed leaves one that answers for some seconds more."""
    old, new, late = row(b"old"), row(b"new"), row(b"late")
    with writer_of(folder) as ending, writer_of(folder) as following:
        ending.append(old)
        following.append(new)
        reader.delete(reader.read(500, NOON))
        assert reader.read(500, NOON) == []

        ending.append(late)

        assert reader.read(500, NOON) == [late]
        reader.delete([late])
        reader.read(500, NOON)
        assert len(files(folder)) == 2


def test_no_two_engines_write_to_one_segment(folder: Path, reader: JournalReader) -> None:
    rows = [row(bytes([number])) for number in range(2)]

    with writer_of(folder) as one, writer_of(folder) as other:
        one.append(rows[0])
        other.append(rows[1])

    assert reader.read(500, NOON) == rows


def test_a_reader_that_closes_leaves_a_running_engine_its_segment(folder: Path) -> None:
    reader = JournalReader(folder)
    with writer_of(folder) as writer:
        writer.append(row(b"1"))
        reader.delete(reader.read(500, NOON))
        reader.close()
        kept = row(b"2")
        writer.append(kept)

    assert reader.read(500, NOON) == [kept]
    reader.close()


def _append(folder: Path, rows: int) -> None:
    with writer_of(folder) as writer:
        for number in range(rows):
            writer.append(row(numbered(number)))


def test_what_is_read_while_an_engine_writes_is_whole_and_in_order(
    folder: Path, reader: JournalReader, caplog: pytest.LogCaptureFixture
) -> None:
    """A read is no snapshot: it may see a later row before all of an earlier one."""
    rows = 20_000
    engine = SPAWN.Process(target=_append, args=(folder, rows))
    engine.start()
    numbers: list[int] = []
    while engine.is_alive() or reader.read(1, NOON):
        numbers += taken(reader)
    engine.join(10)

    assert engine.exitcode == 0
    assert numbers == list(range(rows))
    assert caplog.text == ""


def _begin_again_and_again(folder: Path, times: int) -> None:
    for number in range(times):
        with writer_of(folder) as writer:
            writer.append(row(numbered(number)))


def test_gateways_that_end_while_engines_begin_lose_nothing(folder: Path) -> None:
    """Its last reader removes what no engine holds, which one may be about to."""
    times = 300
    engine = SPAWN.Process(target=_begin_again_and_again, args=(folder, times))
    engine.start()
    numbers: list[int] = []
    while engine.is_alive() or numbers[-1:] != [times - 1]:
        reader = JournalReader(folder)
        numbers += taken(reader)
        reader.close()
        assert engine.is_alive() or engine.exitcode == 0
    engine.join(10)

    assert numbers == list(range(times))


def _append_for_ever(folder: Path, told: Connection) -> None:
    with writer_of(folder) as writer:
        for number in count():
            writer.append(row(numbered(number)))
            told.send(number)


@pytest.mark.parametrize("rows", [1, 50, 3000])
def test_what_a_killed_engine_had_appended_is_there(
    folder: Path, reader: JournalReader, rows: int
) -> None:
    told, tells = SPAWN.Pipe(duplex=False)
    engine = SPAWN.Process(target=_append_for_ever, args=(folder, tells))
    engine.start()
    while (last := told.recv()) < rows:
        pass
    engine.kill()
    engine.join(10)
    while told.poll():
        last = told.recv()
    written(folder, row(numbered(0)))

    numbers: list[int] = []
    while batch := taken(reader):
        numbers += batch

    behind = numbers.pop()
    assert behind == 0
    assert numbers in (list(range(last + 1)), list(range(last + 2)))
