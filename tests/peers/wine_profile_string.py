"""A key of an ini file as Windows reads it, and MicroSIP with it."""

import sys
from pathlib import Path

assert sys.platform == "win32"

from ctypes import WinDLL, create_unicode_buffer, wintypes  # noqa: E402  the fence comes first

_kernel32 = WinDLL("kernel32", use_last_error=True)
_GetPrivateProfileString = _kernel32.GetPrivateProfileStringW
_GetPrivateProfileString.argtypes = [
    *[wintypes.LPCWSTR] * 3,
    wintypes.LPWSTR,
    wintypes.DWORD,
    wintypes.LPCWSTR,
]
_GetPrivateProfileString.restype = wintypes.DWORD


def read_by_windows(ini: Path, key: str, section: str = "Settings") -> str:
    """As MicroSIP reads it, into as long a buffer."""
    value = create_unicode_buffer(256)
    _GetPrivateProfileString(section, key, "", value, len(value), str(ini))
    return value.value
