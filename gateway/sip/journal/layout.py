"""The journal's folder: what its files are called, and what each begins with."""

import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from zlib import crc32

SEGMENT_BYTES = 1024 * 1024
"""Of each file that an engine begins."""
HEADER_BYTES = 32
"""The first record is behind them."""

_HEADER = struct.Struct("<8sQ?")
_CHECKSUM = struct.Struct("<I")
_MAGIC = b"SIPGWJ1\n"
_NAME = re.compile(r"([0-9]{8,18})-([0-9a-f]{8})\.journal")


class JournalError(Exception):
    """The journal cannot be written or read; it says which file, and why."""

    @classmethod
    def of(cls, error: OSError, folder: Path) -> Self:
        return cls(f"{error.filename or folder}: {error.strerror or error}")


@dataclass(frozen=True, slots=True, order=True)
class SegmentName:
    """Their order is that of the segments; no two ever have the same."""

    number: int
    token: str
    """Eight hexadecimal digits, by chance."""

    @property
    def seed(self) -> int:
        """What the check sums of its records begin with, lest a message contain one."""
        return int(self.token, 16)

    def path(self, folder: Path) -> Path:
        return folder / f"{self.number:08d}-{self.token}.journal"


def segment_names(folder: Path) -> list[SegmentName]:
    """The oldest first; raises OSError."""
    found = (_NAME.fullmatch(path.name) for path in folder.iterdir())
    return sorted(SegmentName(int(match[1]), match[2]) for match in found if match)


def next_name(names: list[SegmentName]) -> SegmentName:
    number = names[-1].number + 1 if names else 1
    return SegmentName(number, os.urandom(4).hex())


@dataclass(frozen=True, slots=True)
class Header:
    """How far a segment is stored: the engine writes the first one, the gateway all others."""

    taken: int = HEADER_BYTES
    """Everything before this byte is stored."""
    damaged: bool = False
    """Something in it could not be read: it is kept for people."""

    def encode(self) -> bytes:
        data = _HEADER.pack(_MAGIC, self.taken, self.damaged)
        return data + _CHECKSUM.pack(crc32(data))


def read_header(data: bytes) -> Header | None:
    """None of what is no header: then all is read again, and the store knows what it has."""
    end = _HEADER.size + _CHECKSUM.size
    if (
        len(data) < end
        or _CHECKSUM.pack(crc32(data[: _HEADER.size])) != data[_HEADER.size : end]
    ):
        return None
    magic, taken, damaged = _HEADER.unpack_from(data)
    if magic != _MAGIC or not HEADER_BYTES <= taken <= SEGMENT_BYTES:
        return None
    return Header(taken, damaged)
