"""The journal's records: a row <-> the bytes it has in its file."""

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from functools import lru_cache
from uuid import UUID
from zlib import crc32

from gateway.identity import split_source
from gateway.message import MessageId

MARKER = b"\xabMSG"
"""What each record begins with, by which the next one is found behind a damaged one."""
MAX_RECORD = 128 * 1024
"""Bytes: twice the largest datagram; PJSIP takes no message of more than 4,000."""

_FRAME = struct.Struct("<4sII")
"""Marker; length and CRC-32 of what follows. The check sum begins with the segment's seed."""
_HEAD = struct.Struct("<B16sqBB")
"""Kind, id, microseconds since 1970, lengths of transport and source, then these and raw."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """One acknowledged MESSAGE request."""

    id: MessageId
    received_at: datetime
    transport: str
    source: str
    """``host:port``"""
    raw: bytes
    partial: bool = False
    """*raw* is shorter than what was received."""


@dataclass(frozen=True, slots=True)
class Completion:
    """All of what a partial row was received as."""

    id: MessageId
    raw: bytes


class _Kind(IntEnum):
    WHOLE = 1
    PARTIAL = 2
    COMPLETION = 3


_ROWS = (_Kind.WHOLE, _Kind.PARTIAL)


def row_record(row: JournalRow, seed: int) -> bytes:
    """Raises ValueError for what could not be read again."""
    kind = _Kind.PARTIAL if row.partial else _Kind.WHOLE
    at = (row.received_at - _EPOCH) // _MICROSECOND
    transport, source = row.transport.encode(), row.source.encode()
    _source(source)
    try:
        head = _HEAD.pack(kind, row.id.bytes, at, len(transport), len(source))
    except struct.error as exc:
        raise ValueError(f"no row: {exc}") from exc
    return _record(head + transport + source + row.raw, seed)


def completion_record(completion: Completion, seed: int) -> bytes:
    """Raises ValueError for what could not be read again."""
    head = _HEAD.pack(_Kind.COMPLETION, completion.id.bytes, 0, 0, 0)
    return _record(head + completion.raw, seed)


def read_record(data: bytes, at: int, seed: int) -> tuple[JournalRow | Completion, int] | None:
    """The whole record that begins there, with its end; None where there is none."""
    start = at + _FRAME.size
    if not data.startswith(MARKER, at) or len(data) < start:
        return None
    _, length, checksum = _FRAME.unpack_from(data, at)
    end = start + length
    if not _HEAD.size <= length <= MAX_RECORD or end > len(data):
        return None
    content = data[start:end]
    if crc32(content, seed) != checksum:
        return None
    try:
        return _content(content), end
    except ValueError:
        return None


def next_record(data: bytes, seed: int) -> int | None:
    """Where the first whole record behind the beginning of *data* is."""
    at = data.find(MARKER, 1)
    while at != -1 and read_record(data, at, seed) is None:
        at = data.find(MARKER, at + 1)
    return None if at == -1 else at


def _record(content: bytes, seed: int) -> bytes:
    if len(content) > MAX_RECORD:
        raise ValueError(f"{len(content)} bytes are no SIP message")
    return _FRAME.pack(MARKER, len(content), crc32(content, seed)) + content


def _content(content: bytes) -> JournalRow | Completion:
    """Raises ValueError for what no engine writes."""
    kind, ident, at, transport_size, source_size = _HEAD.unpack_from(content)
    row_id = MessageId(UUID(bytes=ident))
    source_at = _HEAD.size + transport_size
    raw_at = source_at + source_size
    if kind == _Kind.COMPLETION:
        return Completion(row_id, content[raw_at:])
    if kind not in _ROWS:
        raise ValueError("no kind of record")
    return JournalRow(
        id=row_id,
        received_at=_time(at),
        transport=content[_HEAD.size : source_at].decode(),
        source=_source(content[source_at:raw_at]),
        raw=content[raw_at:],
        partial=kind == _Kind.PARTIAL,
    )


@lru_cache(maxsize=4096)
def _source(data: bytes) -> str:
    source = data.decode()
    split_source(source)
    return source


def _time(microseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError as exc:
        raise ValueError("no time") from exc
