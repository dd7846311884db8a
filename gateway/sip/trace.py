"""PJSIP's message trace: what comes in is journalled before its 200 OK leaves."""

import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

from gateway.message import MessageId, uuid7
from gateway.ports import Clock
from gateway.sip.journal import JournalRow

REMEMBERED = 16_384
"""Requests kept in mind, to tell a retransmission: eight seconds of 2,000 a second."""
COMPLETABLE = 64

_RECEIVED = re.compile(
    r"RX (?P<size>\d+) bytes Request msg MESSAGE/cseq=\d+ \(\S*\)"
    r" from (?P<transport>\S+) (?P<source>\S+):\n",
    re.IGNORECASE,
)
_ACKNOWLEDGED = re.compile(r"TX \d+ bytes Response msg 200/MESSAGE/", re.IGNORECASE)
_CALL_ID = re.compile(r"^Call-ID:[ \t]*([^\r\n]+)", re.MULTILINE | re.IGNORECASE)
_END = b"\n--end msg--"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A MESSAGE request as it came in."""

    transport: str
    source: str
    raw: bytes
    whole: bool
    """False: the trace was cut, at a NUL or where PJSIP's log buffer ends."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A 200 OK to a MESSAGE is about to leave."""

    call_id: str


class JournalError(Exception):
    """A MESSAGE cannot be journalled, so it must not be acknowledged."""


class _Journal(Protocol):
    def append(self, row: JournalRow) -> None: ...

    def complete(self, row_id: MessageId, raw: bytes) -> None: ...


def wire_bytes(text: str) -> bytes:
    """The bytes that pjsua2 made *text* of."""
    return text.encode("utf-8", "surrogateescape")


def parse_entry(entry: str) -> Received | Acknowledged | None:
    """What a line of PJSIP's log says of a MESSAGE; None for all that is no concern here."""
    if entry.startswith("RX ") and (head := _RECEIVED.match(entry)):
        rest = wire_bytes(entry[head.end() :])
        size = int(head["size"])
        whole = rest.startswith(_END, size)
        return Received(
            transport=head["transport"].upper(),
            source=head["source"],
            raw=rest[:size] if whole else rest.rstrip(b"\n").removesuffix(_END),
            whole=whole,
        )
    if entry.startswith("TX ") and _ACKNOWLEDGED.match(entry):
        call_id = _CALL_ID.search(entry)
        return Acknowledged(call_id[1].strip() if call_id else "")
    return None


class Trace:
    """Follows the trace, on PJSIP's thread.

    PJSIP handles one packet at a time: an answer is that of the request traced last.
    """

    def __init__(self, *, journal: _Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._last: Received | None = None
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._partial: OrderedDict[MessageId, bytes] = OrderedDict()
        self.appended = 0

    def note(self, entry: str) -> None:
        """Take one log entry; when it raises, the answer it announces must not leave."""
        match parse_entry(entry):
            case Received() as received:
                self._last = received
            case Acknowledged(call_id=call_id):
                self._acknowledge(call_id)
            case None:
                pass

    def complete(self, whole_message: str) -> None:
        """Offer a message as PJSIP's callback has it, in case its trace was cut."""
        if not self._partial:
            return
        raw = wire_bytes(whole_message)
        for row_id, cut in self._partial.items():
            if raw.startswith(cut):
                self._journal.complete(row_id, raw)
                del self._partial[row_id]
                self.appended += 1
                return

    def _acknowledge(self, call_id: str) -> None:
        request, self._last = self._last, None
        if request is None or (request.whole and wire_bytes(call_id) not in request.raw):
            raise JournalError("a 200 OK that belongs to no MESSAGE traced")
        # A retransmission is the same bytes again (RFC 3261, section 17.2.2).
        key = hashlib.blake2b(request.raw + request.source.encode(), digest_size=16).digest()
        if key in self._seen:
            return
        self._append(request)
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    def _append(self, request: Received) -> None:
        now = self._clock()
        row = JournalRow(
            id=MessageId(uuid7(now)),
            received_at=now,
            transport=request.transport,
            source=request.source,
            raw=request.raw,
            partial=not request.whole,
        )
        self._journal.append(row)
        if row.partial:
            self._partial[row.id] = row.raw
            if len(self._partial) > COMPLETABLE:
                self._partial.popitem(last=False)
        else:
            self.appended += 1
