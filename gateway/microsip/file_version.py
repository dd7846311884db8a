"""The version that an executable carries in its resources."""

import sys

assert sys.platform == "win32"

from ctypes import POINTER, byref, c_void_p, cast, create_string_buffer
from ctypes.wintypes import UINT

from gateway.microsip import versiondll
from gateway.microsip.versions import Version

_ROOT = "\\"


def file_version(path: str) -> Version | None:
    """None where *path* has no version resource or cannot be read."""
    size = versiondll.GetFileVersionInfoSize(path, None)
    if not size:
        return None
    block = create_string_buffer(size)
    value, length = c_void_p(), UINT()
    if not versiondll.GetFileVersionInfo(path, 0, size, block):
        return None
    if not versiondll.VerQueryValue(block, _ROOT, byref(value), byref(length)):
        return None
    fixed = cast(value, POINTER(versiondll.VS_FIXEDFILEINFO)).contents
    return Version(
        fixed.dwFileVersionMS >> 16,
        fixed.dwFileVersionMS & 0xFFFF,
        fixed.dwFileVersionLS >> 16,
    )
