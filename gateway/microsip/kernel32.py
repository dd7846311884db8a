"""kernel32.dll as far as it is used: processes, their session, their file."""

import sys

assert sys.platform == "win32"

from ctypes import POINTER, WinDLL
from ctypes.wintypes import BOOL, DWORD, HANDLE, LPWSTR

_kernel32 = WinDLL("kernel32", use_last_error=True)

PROCESS_QUERY_LIMITED_INFORMATION = 0x1000
ERROR_ACCESS_DENIED = 5

GetCurrentProcessId = _kernel32.GetCurrentProcessId
GetCurrentProcessId.argtypes = ()
GetCurrentProcessId.restype = DWORD

ProcessIdToSessionId = _kernel32.ProcessIdToSessionId
ProcessIdToSessionId.argtypes = (DWORD, POINTER(DWORD))
ProcessIdToSessionId.restype = BOOL

OpenProcess = _kernel32.OpenProcess
OpenProcess.argtypes = (DWORD, BOOL, DWORD)
OpenProcess.restype = HANDLE

CloseHandle = _kernel32.CloseHandle
CloseHandle.argtypes = (HANDLE,)
CloseHandle.restype = BOOL

QueryFullProcessImageName = _kernel32.QueryFullProcessImageNameW
QueryFullProcessImageName.argtypes = (HANDLE, DWORD, LPWSTR, POINTER(DWORD))
QueryFullProcessImageName.restype = BOOL
