"""The journal's rows on their way to the gateway."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import StorageUnavailable
from gateway.message import Flag, InboundRequest, MessageId, uuid7
from gateway.sip.intake import Intake
from gateway.sip.journal import JournalRow, JournalWriter
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
    with JournalWriter(path, "normal") as writer:
        for row in rows:
            writer.append(row)
    return rows


def left_in(path: Path) -> Sequence[int]:
    with closing(sqlite3.connect(path)) as journal:
        return [seq for (seq,) in journal.execute("SELECT seq FROM request ORDER BY seq")]


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
async def test_a_damaged_row_stays_and_holds_nothing_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    path = tmp_path / "journal.db"
    rows = journalled(path, 2)
    with closing(sqlite3.connect(path)) as journal, journal:
        journal.execute(f"UPDATE request SET {damage} WHERE seq = 1")  # noqa: S608  ours
    arrived: asyncio.Queue[Sequence[InboundRequest]] = asyncio.Queue()

    intake = Intake(journal=path, handler=arrived.put, clock=lambda: NOON)
    running = asyncio.create_task(intake.run())
    async with asyncio.timeout(5):
        read = await arrived.get()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert [(request.id, request.text) for request in read] == [(rows[1].id, "hi")]
    assert caplog.text.count("row 1 of") == 1
    assert left_in(path) == [1]


async def test_what_is_stored_is_deleted_when_the_intake_ends(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journalled(path, 2)
    arrived: asyncio.Queue[Sequence[InboundRequest]] = asyncio.Queue()

    running = asyncio.create_task(
        Intake(journal=path, handler=arrived.put, clock=lambda: NOON).run()
    )
    async with asyncio.timeout(5):
        await arrived.get()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert left_in(path) == []


async def test_what_is_stored_is_not_read_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
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
    path = tmp_path / "journal.db"
    journalled(path, 1)
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

    assert left_in(path) == [1]
