"""version.dll as far as it is used: the version resource of a file."""

import sys

assert sys.platform == "win32"

from ctypes import POINTER, Structure, WinDLL, c_void_p
from ctypes.wintypes import BOOL, DWORD, LPCWSTR, UINT

_version = WinDLL("version", use_last_error=True)


class VS_FIXEDFILEINFO(Structure):
    """Its first members; the version is major, minor, patch, build in 16 bits each."""

    _fields_ = (
        ("dwSignature", DWORD),
        ("dwStrucVersion", DWORD),
        ("dwFileVersionMS", DWORD),
        ("dwFileVersionLS", DWORD),
    )


GetFileVersionInfoSize = _version.GetFileVersionInfoSizeW
GetFileVersionInfoSize.argtypes = (LPCWSTR, POINTER(DWORD))
GetFileVersionInfoSize.restype = DWORD

GetFileVersionInfo = _version.GetFileVersionInfoW
GetFileVersionInfo.argtypes = (LPCWSTR, DWORD, DWORD, c_void_p)
GetFileVersionInfo.restype = BOOL

VerQueryValue = _version.VerQueryValueW
VerQueryValue.argtypes = (c_void_p, LPCWSTR, POINTER(c_void_p), POINTER(UINT))
VerQueryValue.restype = BOOL
