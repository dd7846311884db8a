"""The engine's side of the journal: each MESSAGE is appended before its 200 OK leaves."""

import errno
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.message import MessageId
from gateway.sip.journal.file_lock import try_lock
from gateway.sip.journal.record import Completion, JournalRow, completion_record, row_record
from gateway.sip.journal.segment import (
    FIRST,
    SEGMENT_BYTES,
    Header,
    JournalError,
    segment_path,
    segments,
)

_BINARY = getattr(os, "O_BINARY", 0)


class JournalWriter:
    """Holds the lock of the segment it appends to.

    What was appended is the operating system's: it survives the end of the process.
    """

    def __init__(self, folder: Path, *, power_cut: bool) -> None:
        """*power_cut*: it is on the disk, too, when an append returns."""
        self._folder = folder
        self._power_cut = power_cut
        self._descriptor = -1
        self._position = 0

    def __enter__(self) -> Self:
        """Take a segment, whose room is then ours; raises JournalError."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if not self._go_on():
                self._begin()
        except OSError as exc:
            raise _unwritable(self._folder, exc) from exc
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
        self._write(row_record(row))

    def complete(self, row_id: MessageId, raw: bytes) -> None:
        """Say what a partial row is when whole, in case the gateway has not taken it yet."""
        self._write(completion_record(Completion(row_id, raw)))

    def _write(self, record: bytes) -> None:
        try:
            if self._position + len(record) > SEGMENT_BYTES:
                self._begin()
            _write_all(self._descriptor, record)
            if self._power_cut:
                _flush(self._descriptor)
        except OSError as exc:
            raise _unwritable(self._folder, exc) from exc
        self._position += len(record)

    def _go_on(self) -> bool:
        """Whether the last segment was free and empty: no engine that dies early leaves one."""
        numbers = segments(self._folder)
        if not numbers:
            return False
        descriptor = os.open(segment_path(self._folder, numbers[-1]), os.O_RDWR | _BINARY)
        if not (try_lock(descriptor) and _is_empty(descriptor)):
            os.close(descriptor)
            return False
        self._hold(descriptor)
        return True

    def _begin(self) -> None:
        """The next segment, filled with zeros: a disk without room for it is told now."""
        number = max(segments(self._folder), default=0) + 1
        path = segment_path(self._folder, number)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        try:
            if not try_lock(descriptor):
                raise BlockingIOError(errno.EAGAIN, "somebody locked it", str(path))
            _write_all(descriptor, Header().encode().ljust(SEGMENT_BYTES, b"\0"))
            if self._power_cut:
                os.fsync(descriptor)
                _flush_folder(self._folder)
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        self._hold(descriptor)

    def _hold(self, descriptor: int) -> None:
        os.lseek(descriptor, FIRST, os.SEEK_SET)
        self._close()
        self._descriptor, self._position = descriptor, FIRST

    def _close(self) -> None:
        if self._descriptor != -1:
            os.close(self._descriptor)
            self._descriptor = -1


def _unwritable(folder: Path, error: OSError) -> JournalError:
    return JournalError(f"{error.filename or folder}: {error.strerror or error}")


def _is_empty(descriptor: int) -> bool:
    data = os.read(descriptor, SEGMENT_BYTES)
    return len(data) == SEGMENT_BYTES and data == Header().encode().ljust(SEGMENT_BYTES, b"\0")


def _write_all(descriptor: int, data: bytes) -> None:
    """Raises OSError for a part of it, too: what is cut is no record."""
    if os.write(descriptor, data) != len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _flush(descriptor: int) -> None:
    if sys.platform == "linux":
        os.fdatasync(descriptor)  # the segment has its size already
    else:
        os.fsync(descriptor)


def _flush_folder(folder: Path) -> None:
    """Its name must be on the disk as well; Windows opens no folder, and writes it itself."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
