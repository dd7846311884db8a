"""The desktop this process sees: its session, MicroSIP's window."""

import sys

assert sys.platform == "win32"

from ctypes import POINTER, WinDLL, byref
from ctypes.wintypes import BOOL, DWORD, HWND, LPCWSTR

WINDOW_CLASS = "MicroSIP"

_kernel32 = WinDLL("kernel32", use_last_error=True)
_user32 = WinDLL("user32", use_last_error=True)

_GetCurrentProcessId = _kernel32.GetCurrentProcessId
_GetCurrentProcessId.argtypes = ()
_GetCurrentProcessId.restype = DWORD

_ProcessIdToSessionId = _kernel32.ProcessIdToSessionId
_ProcessIdToSessionId.argtypes = (DWORD, POINTER(DWORD))
_ProcessIdToSessionId.restype = BOOL

_FindWindow = _user32.FindWindowW
_FindWindow.argtypes = (LPCWSTR, LPCWSTR)
_FindWindow.restype = HWND


def session_id() -> int:
    """0 is where services live, away from every user's windows."""
    session = DWORD()
    _ProcessIdToSessionId(_GetCurrentProcessId(), byref(session))
    return session.value


def has_window() -> bool:
    """Whether a window of MicroSIP's class is there, whatever its title."""
    return bool(_FindWindow(WINDOW_CLASS, None))
