"""The engine's side of the journal: each MESSAGE is appended before its 200 OK leaves."""

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.message import MessageId
from gateway.sip.journal.file_lock import try_lock_named
from gateway.sip.journal.layout import (
    HEADER_BYTES,
    SEGMENT_BYTES,
    Header,
    JournalError,
    SegmentName,
    next_name,
    read_header,
    segment_names,
)
from gateway.sip.journal.record import (
    Completion,
    JournalRow,
    completion_record,
    read_record,
    row_record,
)

Flush = Callable[[int], None]
"""Returns when what was written to a file or folder, by its descriptor, is on the disk."""

_BINARY = getattr(os, "O_BINARY", 0)
_ATTEMPTS = 5
"""The reader may lock, or take away, a file that is not locked yet."""


def flush(descriptor: int) -> None:
    if sys.platform == "linux":
        os.fdatasync(descriptor)  # a segment has its size already
    else:
        os.fsync(descriptor)


class JournalWriter:
    """Holds the lock of the segment it appends to.

    What was appended is the operating system's: it survives the end of the process.
    """

    def __init__(self, folder: Path, *, flush: Flush | None) -> None:
        """*flush*: what was appended is on the disk, too, when an append returns."""
        self._folder = folder
        self._flush = flush
        self._descriptor = -1
        self._position = 0
        self._seed = 0

    def __enter__(self) -> Self:
        """Take a segment, whose room is then ours; raises JournalError."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if not self._go_on():
                self._begin()
        except OSError as exc:
            raise JournalError.of(exc, self._folder) from exc
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def append(self, row: JournalRow) -> None:
        """Returns once it survives; raises JournalError."""
        self._write(lambda seed: row_record(row, seed))

    def complete(self, row_id: MessageId, raw: bytes) -> None:
        """Say what a partial row is when whole, in case the gateway has not taken it yet."""
        completion = Completion(row_id, raw)
        self._write(lambda seed: completion_record(completion, seed))

    def _write(self, encoded: Callable[[int], bytes]) -> None:
        record = encoded(self._seed)
        try:
            if self._position + len(record) > SEGMENT_BYTES:
                self._begin()
                record = encoded(self._seed)
            _write_all(self._descriptor, record)
            if self._flush is not None:
                self._flush(self._descriptor)
        except OSError as exc:
            raise JournalError.of(exc, self._folder) from exc
        self._position += len(record)

    def _go_on(self) -> bool:
        """Append to the last segment, if no engine does so any more; whether that is possible.

        A new file for each engine would fill the disk where they die again and again.
        """
        names = segment_names(self._folder)
        if not names:
            return False
        try:
            descriptor = os.open(names[-1].path(self._folder), os.O_RDWR | _BINARY)
        except OSError:  # a new one may be begun all the same
            return False
        try:
            end = _end(descriptor, names[-1].seed) if try_lock_named(descriptor) else None
        except OSError:
            end = None
        if end is None:
            os.close(descriptor)
            return False
        self._go_on_in(descriptor, names[-1], end)
        return True

    def _begin(self) -> None:
        for _ in range(_ATTEMPTS):
            name = next_name(segment_names(self._folder))
            if (descriptor := self._created(name.path(self._folder))) is not None:
                self._go_on_in(descriptor, name, HEADER_BYTES)
                return
        reason = "its files cannot be locked: data_dir must be on a disk of this machine"
        raise OSError(errno.EAGAIN, reason, str(self._folder))

    def _created(self, path: Path) -> int | None:
        """Filled with zeros, so that a disk without room for it tells that now."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        try:
            if try_lock_named(descriptor):
                _write_all(descriptor, Header().encode().ljust(SEGMENT_BYTES, b"\0"))
                return descriptor
        except OSError:
            os.close(descriptor)
            with suppress(PermissionError):  # the reader has it open, and removes it
                path.unlink(missing_ok=True)
            raise
        os.close(descriptor)
        return None

    def _go_on_in(self, descriptor: int, name: SegmentName, position: int) -> None:
        try:
            if self._flush is not None:
                self._flush(descriptor)
                for folder in (self._folder, self._folder.parent):
                    _flush_folder(folder, self._flush)
            os.lseek(descriptor, position, os.SEEK_SET)
        except OSError:
            os.close(descriptor)
            raise
        self._close()
        self._descriptor, self._position, self._seed = descriptor, position, name.seed

    def _close(self) -> None:
        if self._descriptor != -1:
            os.close(self._descriptor)
            self._descriptor = -1


def _end(descriptor: int, seed: int) -> int | None:
    """Where the segment's last record ends; None if it is not whole, or somebody else's."""
    data = os.read(descriptor, SEGMENT_BYTES + 1)
    if len(data) != SEGMENT_BYTES or read_header(data) is None:
        return None
    at = HEADER_BYTES
    while (record := read_record(data, at, seed)) is not None:
        _, at = record
    return None if data[at:].strip(b"\0") else at


def _write_all(descriptor: int, data: bytes) -> None:
    """Raises OSError for a part of it, too: what is cut is no record."""
    if os.write(descriptor, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _flush_folder(folder: Path, flush: Flush) -> None:
    """Names must be on the disk as well; Windows opens no folder, and writes them itself."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            flush(descriptor)
        finally:
            os.close(descriptor)
