"""Event hooks as a played MicroSIP runs them: started, then waited for."""

import ctypes
import sys
import time
from ctypes import c_void_p, wintypes

assert sys.platform == "win32"

LONGEST_WAIT_MS = 10_000
SEE_MASK_NOCLOSEPROCESS, SEE_MASK_FLAG_NO_UI = 0x40, 0x400
SW_HIDE = 0


class _ShellExecuteInfo(ctypes.Structure):
    _fields_ = (
        ("size", wintypes.DWORD),
        ("mask", wintypes.ULONG),
        ("window", wintypes.HWND),
        ("verb", wintypes.LPCWSTR),
        ("file", wintypes.LPCWSTR),
        ("parameters", wintypes.LPCWSTR),
        ("directory", wintypes.LPCWSTR),
        ("show", ctypes.c_int),
        ("instance", wintypes.HINSTANCE),
        ("id_list", c_void_p),
        ("class_name", wintypes.LPCWSTR),
        ("class_key", wintypes.HKEY),
        ("hot_key", wintypes.DWORD),
        ("icon", wintypes.HANDLE),
        ("process", wintypes.HANDLE),
    )


_shell32 = ctypes.WinDLL("shell32", use_last_error=True)
_CommandLineToArgv = _shell32.CommandLineToArgvW
_CommandLineToArgv.argtypes = [wintypes.LPCWSTR, ctypes.POINTER(ctypes.c_int)]
_CommandLineToArgv.restype = ctypes.POINTER(wintypes.LPWSTR)
_ShellExecuteEx = _shell32.ShellExecuteExW
_ShellExecuteEx.argtypes = [ctypes.POINTER(_ShellExecuteInfo)]
_ShellExecuteEx.restype = wintypes.BOOL
_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_WaitForSingleObject = _kernel32.WaitForSingleObject
_WaitForSingleObject.argtypes = [wintypes.HANDLE, wintypes.DWORD]
_WaitForSingleObject.restype = wintypes.DWORD
_CloseHandle = _kernel32.CloseHandle
_CloseHandle.argtypes = [wintypes.HANDLE]
_CloseHandle.restype = wintypes.BOOL
_LocalFree = _kernel32.LocalFree
_LocalFree.argtypes = [c_void_p]
_LocalFree.restype = c_void_p


def run(command: str, user: str) -> float | None:
    """The milliseconds waited; None when it could not be started, which nobody is told."""
    file, *rest = _arguments(command)
    # The quotes of the arguments are lost, and the user is appended as it came.
    parameters = " ".join([*rest, user])
    info = _ShellExecuteInfo(
        size=ctypes.sizeof(_ShellExecuteInfo),
        mask=SEE_MASK_NOCLOSEPROCESS | SEE_MASK_FLAG_NO_UI,
        file=file,
        parameters=parameters,
        show=SW_HIDE,
    )
    began = time.perf_counter()
    if not _ShellExecuteEx(ctypes.byref(info)) or not info.process:
        return None
    _WaitForSingleObject(info.process, LONGEST_WAIT_MS)
    _CloseHandle(info.process)
    return (time.perf_counter() - began) * 1000


def _arguments(command: str) -> list[str]:
    count = ctypes.c_int()
    found = _CommandLineToArgv(command, ctypes.byref(count))
    try:
        return [found[index] or "" for index in range(count.value)]
    finally:
        _LocalFree(found)
