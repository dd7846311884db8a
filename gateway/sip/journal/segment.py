"""A segment as the gateway reads it: one of the journal's files."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Self

from gateway.message import MessageId
from gateway.sip.journal.file_lock import try_lock
from gateway.sip.journal.layout import (
    HEADER_BYTES,
    SEGMENT_BYTES,
    Header,
    SegmentName,
    read_header,
)
from gateway.sip.journal.record import (
    MARKER,
    MAX_RECORD,
    Completion,
    JournalRow,
    next_record,
    read_record,
)

log = logging.getLogger(__name__)

PARTIAL_AGE = timedelta(seconds=2)
"""After this a partial row is taken as it is: the engine that would complete it died."""

_CHUNK = 2 * MAX_RECORD
"""Bytes: at least one whole record, wherever it begins."""


class Segment:
    """Its rows wait in memory from being read until they are deleted; methods raise OSError."""

    def __init__(
        self, *, path: Path, seed: int, file: IO[bytes], header: Header | None
    ) -> None:
        """*header*: None where the file's is damaged, and is left as it is."""
        self._path = path
        self._seed = seed
        self._file = file
        self._header_lost = header is None
        self._header = header or Header(damaged=True)
        self._position = self._header.taken
        self._waiting: dict[MessageId, tuple[JournalRow, int]] = {}
        """In the order of the file, with the place of each."""
        self._partial: dict[MessageId, datetime] = {}
        """When those of them were received that are partial."""
        self._unclaimed: list[Completion] = []
        self._drained = False
        """There was nothing more when it was read last."""
        self._final = False
        """No engine appends to it any more."""
        self._read_to_its_end = False

    @classmethod
    def open(cls, folder: Path, name: SegmentName) -> Self:
        path = name.path(folder)
        file = path.open("r+b", buffering=0)
        try:
            data = file.read(HEADER_BYTES)
        except OSError:
            file.close()
            raise
        just_begun = not data.strip(b"\0")
        header = Header() if just_begun else read_header(data)
        if header is None:
            log.error("%s begins with no header; the file is kept as *.damaged", path)
        return cls(path=path, seed=name.seed, file=file, header=header)

    @property
    def continues(self) -> bool:
        """What completes its last rows may be in the next segment."""
        return self._drained and bool(self._partial)

    @property
    def is_done(self) -> bool:
        """Nothing comes any more, and all that came is stored."""
        return self._read_to_its_end and not self._waiting

    def look_for_its_end(self) -> None:
        """Its lock is free once no engine appends to it any more."""
        self._final = self._final or try_lock(self._file.fileno())

    def fill(self, count: int, now: datetime) -> int:
        """Read until so many rows are ready, or there is nothing more; how many are."""
        while self._ready(now) < count:
            if not (self._read_rows() or self._skip_damaged()):
                self._read_to_its_end = self._final
                break
        if self._partial:  # what completes one stands near
            self._read_rows()
        return self._ready(now)

    def rows(self, now: datetime) -> Iterator[JournalRow]:
        """Those that are ready: without partial ones that may still be completed."""
        oldest = now - PARTIAL_AGE
        for row, _ in self._waiting.values():
            if not row.partial or row.received_at < oldest:
                yield row

    def unclaimed(self) -> Sequence[Completion]:
        """Completions of rows that are not in it; given once."""
        given, self._unclaimed = self._unclaimed, []
        return given

    def complete(self, completion: Completion) -> bool:
        """Whether it was that of a row in it."""
        if completion.id not in self._partial:
            return False
        del self._partial[completion.id]
        row, at = self._waiting[completion.id]
        self._waiting[completion.id] = (replace(row, raw=completion.raw, partial=False), at)
        return True

    def delete(self, rows: Sequence[JournalRow]) -> None:
        """Those of them that are in it."""
        for row in rows:
            self._waiting.pop(row.id, None)
            self._partial.pop(row.id, None)
        _, taken = next(iter(self._waiting.values()), (None, self._position))
        self._keep(replace(self._header, taken=taken))

    def close(self) -> None:
        self._file.close()

    def remove(self) -> None:
        """A damaged one is kept under another name.

        The lock is held until the name is gone, so that no engine begins in it meanwhile. On
        Windows what is open keeps its name: it is closed first, and stays if an engine, or
        anybody else, opens it before it is gone.
        """
        with suppress(PermissionError):
            self._unname()
            self.close()
            return
        self.close()
        self._unname()

    def _unname(self) -> None:
        with suppress(FileNotFoundError):
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
        while (record := read_record(data, at, self._seed)) is not None:
            content, end = record
            match content:
                case JournalRow() as row:
                    self._waiting[row.id] = (row, self._position + at)
                    if row.partial:
                        self._partial[row.id] = row.received_at
                case Completion() as completion:
                    if not self.complete(completion):
                        self._unclaimed.append(completion)
            at = end
        self._position += at
        self._drained = not at
        return bool(at)

    def _ready(self, now: datetime) -> int:
        oldest = now - PARTIAL_AGE
        return len(self._waiting) - sum(at >= oldest for at in self._partial.values())

    def _skip_damaged(self) -> bool:
        """Whether there is a record behind what is none.

        While an engine appends, what is none is where it will write, or writes just now. A
        read is no snapshot, so that a whole record may be seen behind that: then it has been
        written by now, for an engine writes one after the other.
        """
        if not self._final and not self._read(len(MARKER)).strip(b"\0"):
            return False
        rest = self._read(SEGMENT_BYTES)
        behind = next_record(rest, self._seed)
        if not self._final:
            if behind is None:
                return False
            rest = self._read(SEGMENT_BYTES)
            if read_record(rest, 0, self._seed) is not None:
                return True
            behind = next_record(rest, self._seed)
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
            self._header = header
            if not self._header_lost:
                self._file.seek(0)
                self._file.write(header.encode())
