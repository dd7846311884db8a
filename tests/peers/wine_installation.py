"""Puts an executable for a played MicroSIP where the test wants one, of any version."""

import ctypes
import os
import shutil
import struct
import subprocess
import sys
from ctypes import c_void_p, wintypes
from pathlib import Path

from tests.peers.wine_steering import Start

assert sys.platform == "win32"

RT_VERSION = 16
_SIGNATURE, _STRUCTURE = 0xFEEF04BD, 0x00010000
_NAME = "VS_VERSION_INFO\0".encode("utf-16-le")
_BLOCK = struct.Struct("<HHH32s2x13I")
_FIXED = 52

_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_BeginUpdateResource = _kernel32.BeginUpdateResourceW
_BeginUpdateResource.argtypes = [wintypes.LPCWSTR, wintypes.BOOL]
_BeginUpdateResource.restype = wintypes.HANDLE
_UpdateResource = _kernel32.UpdateResourceW
_UpdateResource.argtypes = [
    wintypes.HANDLE,
    c_void_p,  # a number stands for its type
    c_void_p,
    wintypes.WORD,
    c_void_p,
    wintypes.DWORD,
]
_UpdateResource.restype = wintypes.BOOL
_EndUpdateResource = _kernel32.EndUpdateResourceW
_EndUpdateResource.argtypes = [wintypes.HANDLE, wintypes.BOOL]
_EndUpdateResource.restype = wintypes.BOOL


def install(folder: Path, version: str = "", build: int = 5) -> Path:
    """``microsip.exe`` in *folder*: a Python, with a *version* in its resources or none."""
    folder.mkdir(parents=True, exist_ok=True)
    executable = folder / "microsip.exe"
    shutil.copy(sys.executable, executable)
    if version:
        major, minor, patch = map(int, version.split("."))
        high, low = major << 16 | minor, patch << 16 | build
        numbers = (_SIGNATURE, _STRUCTURE, high, low, high, low, 0x3F, 0, 4, 1, 0, 0, 0)
        _add_version(executable, _BLOCK.pack(_BLOCK.size, _FIXED, 0, _NAME, *numbers))
    return executable


def started_from(executable: Path) -> Start:
    """Starts the Python that *executable* is, away from its library as it lies."""
    inherited = os.environ  # noqa: TID251  a child of this process
    path = f"{sys.prefix};{inherited['PATH']}"
    environment = {**inherited, "PYTHONHOME": sys.prefix, "PATH": path}

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(executable), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    return start


def _add_version(executable: Path, block: bytes) -> None:
    update = _BeginUpdateResource(str(executable), False)
    assert update, ctypes.get_last_error()
    assert _UpdateResource(update, RT_VERSION, 1, 0, block, len(block))
    assert _EndUpdateResource(update, False), ctypes.get_last_error()
