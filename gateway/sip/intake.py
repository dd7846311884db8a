"""The intake: journal rows -> the gateway, deleted once it has committed them."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path
from time import monotonic

from gateway.errors import StorageUnavailable
from gateway.message import InboundRequest, message_id_text
from gateway.ports import Clock, InboundHandler
from gateway.sip.journal.former import take_over
from gateway.sip.journal.layout import JournalError
from gateway.sip.journal.reader import JournalReader
from gateway.sip.journal.record import JournalRow
from gateway.sip.request import inbound_request, unread_request

log = logging.getLogger(__name__)

MAX_BATCH = 500
LOOK_SECONDS = 1.0
"""For partial rows, of which nobody tells when they are old enough."""
RETRY_SECONDS = 1.0
TAKE_OVER_SECONDS = 60.0
"""Until a former journal is tried again that could not be taken over."""


class Intake:
    """Reads on one thread of its own, since files block."""

    def __init__(self, *, journal: Path, handler: InboundHandler, clock: Clock) -> None:
        self._journal = journal
        self._reader = JournalReader(journal)
        self._handler = handler
        self._clock = clock
        self._rows = asyncio.Event()
        self._stored: Sequence[JournalRow] = ()
        """Of the journal, to be deleted before what comes next is read."""
        self._failing = False
        self._take_over_at = -inf

    def wake(self) -> None:
        """There are new rows."""
        self._rows.set()

    async def run(self) -> None:
        """Until cancelled; what was not committed by then stays in the journal."""
        with ThreadPoolExecutor(1, thread_name_prefix="journal") as thread:
            try:
                while True:
                    self._rows.clear()
                    await self._take(thread)
            finally:
                thread.submit(self._close)

    async def _take(self, thread: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        try:
            rows, requests = await loop.run_in_executor(thread, self._next)
            if rows:
                await self._handler(requests)
                self._stored = rows
        except (JournalError, StorageUnavailable) as exc:
            self._log_once(exc)
            await asyncio.sleep(RETRY_SECONDS)
            return
        if self._failing:
            self._failing = False
            log.info("journalled messages are stored again")
        if len(rows) < MAX_BATCH:
            await self._woken()

    def _next(self) -> tuple[Sequence[JournalRow], Sequence[InboundRequest]]:
        """Delete and read in one go: to cross to the thread takes longer than either."""
        if monotonic() >= self._take_over_at:
            self._take_over()
        self._delete_stored()
        rows = self._reader.read(MAX_BATCH, self._clock())
        return rows, [_request(row) for row in rows]

    def _take_over(self) -> None:
        try:
            take_over(self._journal)
        except JournalError as exc:
            if self._take_over_at == -inf:
                log.warning(
                    "messages of a former version wait, and are tried again: %s;"
                    " see that nobody has the file open, or move it away",
                    exc,
                )
            self._take_over_at = monotonic() + TAKE_OVER_SECONDS
        else:
            self._take_over_at = inf

    def _delete_stored(self) -> None:
        if self._stored:
            self._reader.delete(self._stored)
            self._stored = ()

    def _close(self) -> None:
        try:
            self._delete_stored()
            self._reader.close()
        except JournalError as exc:
            log.warning("the journal is not tidied up: %s", exc)

    def _log_once(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            log.warning("journalled messages wait for the store: %s", error)

    async def _woken(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._rows.wait()
        except TimeoutError:
            return


def _request(row: JournalRow) -> InboundRequest:
    try:
        return inbound_request(row)
    except Exception:  # the row would be read for ever, and nothing behind it be stored
        log.exception("%s is stored unread", message_id_text(row.id))
        return unread_request(row)
