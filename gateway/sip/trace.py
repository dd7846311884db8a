"""PJSIP's message trace: what comes in is journalled before its 200 OK leaves."""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.message import MessageId, uuid7
from gateway.sip.journal.layout import JournalError
from gateway.sip.journal.record import JournalRow

REMEMBERED = 32_768
"""Requests and answers kept in mind, to tell one that is sent again: eight seconds of 2,000 a
second."""
ALWAYS_SHOWN = 2000
"""Characters of a packet that are in its trace wherever PJSIP's log buffer cuts that."""
COMPLETABLE = 64

_RECEIVED = re.compile(
    r"RX (?P<size>\d+) bytes Request msg (?P<method>[^/\s]+)/cseq=-?\d+ \(\S*\)"
    r" from (?P<transport>\S+) (?P<source>\S+):\n"
)
_ACKNOWLEDGED = re.compile(r"TX \d+ bytes Response msg 200/MESSAGE/", re.IGNORECASE)
_CALL_ID = "\r\nCall-ID: "  # in a response, which PJSIP wrote
_END = b"\n--end msg--"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as it came in."""

    method: str
    transport: str
    source: str
    raw: bytes
    whole: bool
    """False: the trace was cut, at a NUL or where PJSIP's log buffer ends."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A 200 OK is about to leave whose CSeq says MESSAGE.

    The CSeq is the sender's word: PJSIP copies it, into the answer to an OPTIONS too.
    """

    call_id: str
    beginning: str
    """Of the response: the same when PJSIP sends the same answer again."""


class _Journal(Protocol):
    def append(self, row: JournalRow) -> None: ...

    def complete(self, row_id: MessageId, raw: bytes) -> None: ...


def wire_bytes(text: str) -> bytes:
    """The bytes that pjsua2 made *text* of."""
    return text.encode("utf-8", "surrogateescape")


def parse_entry(entry: str) -> Received | Acknowledged | None:
    """What a line of PJSIP's log says; None for all that is no concern here."""
    if entry.startswith("RX ") and (head := _RECEIVED.match(entry)):
        rest = wire_bytes(entry[head.end() :])
        size = int(head["size"])
        whole = rest.startswith(_END, size)
        return Received(
            method=head["method"].upper(),
            transport=head["transport"].upper(),
            source=head["source"],
            raw=rest[:size] if whole else rest.rstrip(b"\n").removesuffix(_END),
            whole=whole,
        )
    if entry.startswith("TX ") and _ACKNOWLEDGED.match(entry):
        _, _, response = entry.partition("\n")
        call_id, _, _ = response.partition(_CALL_ID)[2].partition("\r\n")
        return Acknowledged(call_id.strip(), response[:ALWAYS_SHOWN])
    return None


class Trace:
    """Follows the trace, on PJSIP's thread.

    PJSIP handles one packet at a time: an answer is that of the request traced last.
    """

    # Not ports.Clock: all that the ports are made of would be in the engine, 1.3 MB.
    def __init__(self, *, journal: _Journal, clock: Callable[[], datetime]) -> None:
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
            case Acknowledged() as answer:
                self._acknowledge(answer)
            case None:
                pass

    def wants_whole(self) -> bool:
        """Whether there is a message whose trace was cut."""
        return bool(self._partial)

    def complete(self, whole_message: str) -> None:
        """Offer a message as PJSIP's callback has it, in case its trace was cut."""
        raw = wire_bytes(whole_message)
        for row_id, cut in self._partial.items():
            if raw.startswith(cut):
                self._journal.complete(row_id, raw)
                del self._partial[row_id]
                self.appended += 1
                return

    def _acknowledge(self, answer: Acknowledged) -> None:
        again = _digest(wire_bytes(answer.beginning))
        request = self._last
        if request is None or not _answers(answer, request):
            # A response that cannot be sent on its connection, which the client has reset, is
            # sent on a new one (RFC 3261, section 18.2.2).
            if again not in self._seen:
                raise JournalError("a 200 OK that belongs to no MESSAGE traced")
            return
        if request.method == "MESSAGE":
            self._last = None
            self._journal_once(request)
        self._remember(again)

    def _journal_once(self, request: Received) -> None:
        # A retransmission is the same bytes again (RFC 3261, section 17.2.2).
        key = _digest(request.raw + request.source.encode())
        if key not in self._seen:
            self._append(request)
            self._remember(key)

    def _remember(self, key: bytes) -> None:
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


def _answers(answer: Acknowledged, request: Received) -> bool:
    return not request.whole or wire_bytes(answer.call_id) in request.raw


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
