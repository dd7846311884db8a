"""The gateway's side of the journal: rows stay until they are deleted."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, islice
from pathlib import Path

from gateway.message import MessageId
from gateway.sip.journal.file_lock import try_lock
from gateway.sip.journal.record import (
    MAX_RECORD,
    Completion,
    JournalRow,
    next_record,
    read_record,
)
from gateway.sip.journal.segment import (
    FIRST,
    SEGMENT_BYTES,
    Header,
    JournalError,
    read_header,
    segment_path,
    segments,
)

log = logging.getLogger(__name__)

PARTIAL_AGE = timedelta(seconds=2)
"""After this a partial row is taken as it is: the engine that would complete it died."""

_CHUNK = 2 * MAX_RECORD
"""Bytes: at least one whole record, wherever it begins."""


class _Segment:
    """A file with what was read of it, and is not stored yet."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._path = path
        self._file = path.open("r+b", buffering=0)
        self._header = read_header(self._file.read(FIRST))
        self._position = self._header.taken
        self._waiting: dict[MessageId, tuple[JournalRow, int]] = {}
        """In the order of the file, with the place of each."""
        self._final = False
        self._read_whole = False

    @property
    def is_done(self) -> bool:
        """Nothing comes any more, and all that came is stored."""
        return self._read_whole and not self._waiting

    def end(self) -> None:
        """See whether no engine appends any more: only its death frees the lock."""
        self._final = self._final or try_lock(self._file.fileno())

    def fill(self, count: int) -> None:
        """Read until so many whole rows wait, or there is nothing more."""
        while sum(not row.partial for row, _ in self._waiting.values()) < count:
            if not (self._read_rows() or self._skip_damaged()):
                self._read_whole = self._final
                return

    def rows(self, now: datetime) -> Iterator[JournalRow]:
        oldest = now - PARTIAL_AGE
        for row, _ in self._waiting.values():
            if not row.partial or row.received_at < oldest:
                yield row

    def delete(self, rows: Sequence[JournalRow]) -> None:
        for row in rows:
            self._waiting.pop(row.id, None)
        _, taken = next(iter(self._waiting.values()), (None, self._position))
        self._keep(replace(self._header, taken=taken))

    def close(self) -> None:
        self._file.close()

    def remove(self) -> None:
        """A damaged one is kept under another name."""
        self.close()
        if self._header.damaged:
            self._path.replace(self._path.with_suffix(".damaged"))
        else:
            self._path.unlink()

    def _read(self, size: int) -> bytes:
        self._file.seek(self._position)
        return self._file.read(size)

    def _read_rows(self) -> bool:
        data = self._read(_CHUNK)
        at = 0
        while (record := read_record(data, at)) is not None:
            content, end = record
            match content:
                case JournalRow() as row:
                    self._waiting[row.id] = (row, self._position + at)
                case Completion(id=row_id, raw=raw):
                    self._complete(row_id, raw)
            at = end
        self._position += at
        return bool(at)

    def _complete(self, row_id: MessageId, raw: bytes) -> None:
        if (waiting := self._waiting.get(row_id)) is not None:
            row, at = waiting
            self._waiting[row_id] = (replace(row, raw=raw, partial=False), at)

    def _skip_damaged(self) -> bool:
        """Whether there is a record behind what is none.

        While an engine appends, what is none is a record that it is writing. It may be followed
        by a whole one even then: a read takes a page before it is written, the next one after.
        """
        if not self._final:
            return False
        rest = self._read(SEGMENT_BYTES)
        behind = next_record(rest)
        skipped = rest[:behind].rstrip(b"\0")
        if skipped:
            self._tell_damaged(len(skipped))
        self._position += len(rest) if behind is None else behind
        return behind is not None

    def _tell_damaged(self, size: int) -> None:
        self._keep(replace(self._header, damaged=True))
        log.error(
            "%d bytes of %s, from byte %d on, are no message; the file is kept as *.damaged",
            size,
            self._path,
            self._position,
        )

    def _keep(self, header: Header) -> None:
        if header != self._header:
            self._file.seek(0)
            self._file.write(header.encode())
            self._header = header


class JournalReader:
    """Used by one thread at a time; its methods raise JournalError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._segments: dict[int, _Segment] = {}

    def read(self, limit: int, now: datetime) -> Sequence[JournalRow]:
        """The oldest rows, without partial ones that may still be completed.

        What is damaged keeps nothing behind it from being read.
        """
        with self._told():
            self._open_new()
            self._fill(limit)
            rows = chain.from_iterable(one.rows(now) for one in self._segments.values())
            return list(islice(rows, limit))

    def delete(self, rows: Sequence[JournalRow]) -> None:
        """What the store has committed."""
        with self._told():
            for segment in self._segments.values():
                segment.delete(rows)

    def close(self) -> None:
        """Segments that no engine appends to any more, with all in them stored, are removed."""
        with self._told():
            for segment in self._segments.values():
                segment.end()
            self._fill(1)
            while self._segments:
                self._segments.popitem()[1].close()

    def _open_new(self) -> None:
        try:
            numbers = segments(self._folder)
        except FileNotFoundError:
            return
        for number in numbers:
            if number not in self._segments:
                self._segments[number] = _Segment(segment_path(self._folder, number))
        for number in numbers[:-1]:
            self._segments[number].end()

    def _fill(self, limit: int) -> None:
        for number, segment in list(self._segments.items()):
            segment.fill(limit)
            if segment.is_done:
                del self._segments[number]
                with suppress(PermissionError):  # Windows: somebody has it open; found again
                    segment.remove()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise JournalError(
                f"{exc.filename or self._folder}: {exc.strerror or exc}"
            ) from exc
