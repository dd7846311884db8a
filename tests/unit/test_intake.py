"""The journal's rows on their way to the gateway."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from gateway.message import Flag, InboundRequest, MessageId, uuid7
from gateway.sip.intake import Intake
from gateway.sip.journal import JournalRow, JournalWriter
from tests.fakes import NOON


async def test_a_row_that_cannot_be_read_is_handed_on_with_its_bytes(tmp_path: Path) -> None:
    """And holds nothing back: here one that somebody wrote into the file as text."""
    path = tmp_path / "journal.db"
    rows = [
        JournalRow(
            id=MessageId(uuid7(NOON)),
            received_at=NOON,
            transport="UDP",
            source="10.0.0.5:5060",
            raw=b"MESSAGE sip:bot@h SIP/2.0\r\n\r\nhi",
        )
        for _ in range(2)
    ]
    with JournalWriter(path, "normal") as writer:
        for row in rows:
            writer.append(row)
    with closing(sqlite3.connect(path)) as journal, journal:
        journal.execute("UPDATE request SET raw = 'text' WHERE id = ?", (str(rows[0].id),))
    arrived: asyncio.Queue[Sequence[InboundRequest]] = asyncio.Queue()

    intake = Intake(journal=path, handler=arrived.put, clock=lambda: NOON)
    running = asyncio.create_task(intake.run())
    async with asyncio.timeout(5):
        unread, read = await arrived.get()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert (read.id, read.text) == (rows[1].id, "hi")
    assert (unread.id, str(unread.raw_body), unread.text) == (rows[0].id, "text", "")
    assert (unread.request_uri, unread.from_uri) == ("", "")
    assert unread.flags == {Flag.UNDECODABLE}
