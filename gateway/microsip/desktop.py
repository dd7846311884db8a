"""The Windows session that this process is in."""

import sys

assert sys.platform == "win32"

from ctypes import byref
from ctypes.wintypes import DWORD

from gateway.microsip import kernel32


def session_id() -> int:
    """0 is where services live, away from every user's windows."""
    session = DWORD()
    kernel32.ProcessIdToSessionId(kernel32.GetCurrentProcessId(), byref(session))
    return session.value
