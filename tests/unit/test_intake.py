"""The journal's rows on their way to the gateway."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.errors import StorageUnavailable
from gateway.message import Flag, InboundRequest, MessageId, uuid7
from gateway.sip.intake import Intake
from gateway.sip.journal.layout import HEADER_BYTES
from gateway.sip.journal.reader import JournalReader
from gateway.sip.journal.record import JournalRow, row_record
from gateway.sip.journal.writer import JournalWriter
from gateway.sip.request import unread_request
from tests.fakes import NOON


def journalled(path: Path, count: int) -> Sequence[JournalRow]:
    rows = [
        JournalRow(
            id=MessageId(uuid7(NOON)),
            received_at=NOON,
            transport="UDP",
            source="10.0.0.5:5060",
            raw=b"MESSAGE sip:bot@h SIP/2.0\r\n\r\nhi",
        )
        for _ in range(count)
    ]
    with JournalWriter(path, flush=None) as writer:
        for row in rows:
            writer.append(row)
    return rows


def left_in(path: Path) -> Sequence[MessageId]:
    reader = JournalReader(path)
    rows = reader.read(500, NOON)
    reader.close()
    return [row.id for row in rows]


async def first_batch(path: Path) -> Sequence[InboundRequest]:
    """What an intake hands on first, which has ended then."""
    arrived: asyncio.Queue[Sequence[InboundRequest]] = asyncio.Queue()
    intake = Intake(journal=path, handler=arrived.put, clock=lambda: NOON)
    running = asyncio.create_task(intake.run())
    async with asyncio.timeout(5):
        read = await arrived.get()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return read


def test_a_request_that_cannot_be_read_keeps_its_bytes() -> None:
    row = JournalRow(
        id=MessageId(uuid7(NOON)),
        received_at=NOON,
        transport="UDP",
        source="10.0.0.5:5060",
        raw=b"no SIP",
    )

    unread = unread_request(row)

    assert (unread.id, unread.raw_body, unread.text) == (row.id, b"no SIP", "")
    assert (unread.request_uri, unread.from_uri) == ("", "")
    assert unread.flags == {Flag.UNDECODABLE}


async def test_a_damaged_row_is_told_once_and_holds_nothing_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "journal"
    first, second = journalled(path, 2)
    [segment] = path.iterdir()
    data = bytearray(segment.read_bytes())
    data[HEADER_BYTES + len(row_record(first, 0)) - 1] ^= 1
    segment.write_bytes(data)
    [third] = journalled(path, 1)

    read = await first_batch(path)

    assert [(request.id, request.text) for request in read] == [
        (second.id, "hi"),
        (third.id, "hi"),
    ]
    assert caplog.text.count("are no message") == 1
    assert [file.name for file in path.iterdir()] == [segment.with_suffix(".damaged").name]


async def test_what_is_stored_is_deleted_when_the_intake_ends(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journalled(path, 2)

    await first_batch(path)

    assert left_in(path) == []


async def test_what_is_stored_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    [first] = journalled(path, 1)
    arrived: asyncio.Queue[Sequence[InboundRequest]] = asyncio.Queue()
    intake = Intake(journal=path, handler=arrived.put, clock=lambda: NOON)

    running = asyncio.create_task(intake.run())
    async with asyncio.timeout(5):
        before = await arrived.get()
        [second] = journalled(path, 1)
        intake.wake()
        after = await arrived.get()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert [request.id for request in (*before, *after)] == [first.id, second.id]


async def test_what_is_not_stored_stays_in_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    [row] = journalled(path, 1)
    refused = asyncio.Event()

    async def refuse(_: Sequence[InboundRequest]) -> None:
        refused.set()
        raise StorageUnavailable("away")

    running = asyncio.create_task(
        Intake(journal=path, handler=refuse, clock=lambda: NOON).run()
    )
    async with asyncio.timeout(5):
        await refused.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert left_in(path) == [row.id]


async def test_a_former_journal_that_cannot_be_read_is_told_and_holds_nothing_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "journal.db").write_bytes(b"no database" * 100)
    path = tmp_path / "journal"
    [row] = journalled(path, 1)

    read = await first_batch(path)

    assert [request.id for request in read] == [row.id]
    assert "journal.db" in caplog.text
    assert "see that nobody has the file open, or move it away" in caplog.text
