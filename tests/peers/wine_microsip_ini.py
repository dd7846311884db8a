"""microsip.ini as a played MicroSIP reads and rewrites it, by Windows' own functions."""

import ctypes
import sys
from ctypes import wintypes
from pathlib import Path

from tests.peers.played_calls import Record

assert sys.platform == "win32"

LONGEST = 255
HOOKS = (
    "cmdOutgoingCall",
    "cmdIncomingCall",
    "cmdCallRing",
    "cmdCallAnswer",
    "cmdCallAnswerVideo",
    "cmdCallStart",
    "cmdCallBusy",
    "cmdCallEnd",
)
_NUMBERS = {"singleMode": "1", "volumeOutput": "53", "volumeInput": "50"}
_DEVICES = ("audioRingDevice", "audioInputDevice", "audioOutputDevice")

_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_GetPrivateProfileString = _kernel32.GetPrivateProfileStringW
_GetPrivateProfileString.argtypes = [
    wintypes.LPCWSTR,
    wintypes.LPCWSTR,
    wintypes.LPCWSTR,
    wintypes.LPWSTR,
    wintypes.DWORD,
    wintypes.LPCWSTR,
]
_GetPrivateProfileString.restype = wintypes.DWORD
_WritePrivateProfileString = _kernel32.WritePrivateProfileStringW
_WritePrivateProfileString.argtypes = [wintypes.LPCWSTR] * 4
_WritePrivateProfileString.restype = wintypes.BOOL


def read(path: Path, section: str, key: str, default: str = "") -> str:
    buffer = ctypes.create_unicode_buffer(LONGEST + 1)
    _GetPrivateProfileString(section, key, default, buffer, len(buffer), str(path))
    return buffer.value


def write(path: Path, section: str, key: str, value: str) -> None:
    written = _WritePrivateProfileString(section, key, value, str(path))
    assert written, (path, ctypes.get_last_error())


class Settings:
    """[Settings], read once at the start; saving writes every known key from memory."""

    def __init__(self, path: Path, version: str) -> None:
        self.path = path
        self._version = version
        if not path.exists():
            path.write_bytes(b"\xff\xfe")
        known = (*_NUMBERS, *_DEVICES, *HOOKS)
        if version == "3.20.5":
            known = tuple(key for key in known if key != "cmdCallAnswerVideo")
        self.values = {key: read(path, "Settings", key, _NUMBERS.get(key, "")) for key in known}

    def save(self) -> None:
        for key, value in self.values.items():
            # From 3.21 on a value in quotes keeps them; 3.20.5 writes it bare.
            quoted = value[:1] == value[-1:] == '"' and self._version != "3.20.5"
            quoted |= key in _DEVICES and bool(value)
            write(self.path, "Settings", key, f'"{value}"' if quoted else value)
        if self._version == "3.22.3":
            write(self.path, "Settings", "version", self._version)

    def next_key(self) -> int:
        """Of the record after the newest there is."""
        newest = read(self.path, "Settings", "callsLastKey")
        return (int(newest) + 1) % 1000 if newest else 0

    def record(self, key: int, record: Record) -> None:
        """A line of [Calls], written at once."""
        write(self.path, "Calls", str(key), str(record))
        write(self.path, "Settings", "callsLastKey", str(key))
