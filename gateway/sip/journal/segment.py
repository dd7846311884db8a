"""The journal's segments: numbered files of one size, each written by one engine."""

import re
import struct
from dataclasses import dataclass
from pathlib import Path

SEGMENT_BYTES = 1024 * 1024
FIRST = 32
"""Where the first record is."""

_HEADER = struct.Struct("<8sQB")
_MAGIC = b"SIPGWJ1\n"
_NAME = re.compile(r"([0-9]{8,18})\.journal")


class JournalError(Exception):
    """The journal cannot be written or read."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the gateway keeps in a segment; the engine writes the first one."""

    taken: int = FIRST
    """Everything before it is stored."""
    damaged: bool = False
    """Something in it could not be read: it is kept for people."""

    def encode(self) -> bytes:
        return _HEADER.pack(_MAGIC, self.taken, self.damaged)


def read_header(data: bytes) -> Header:
    """Of what is no header, that nothing is taken: the store knows what it has."""
    if len(data) < _HEADER.size:
        return Header()
    magic, taken, damaged = _HEADER.unpack_from(data)
    if magic != _MAGIC or not FIRST <= taken <= SEGMENT_BYTES:
        return Header()
    return Header(taken, bool(damaged))


def segment_path(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}.journal"


def segments(folder: Path) -> list[int]:
    """Their numbers, the oldest first; raises OSError."""
    found = (_NAME.fullmatch(path.name) for path in folder.iterdir())
    return sorted(int(match[1]) for match in found if match)
