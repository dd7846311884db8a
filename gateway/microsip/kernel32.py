"""kernel32.dll as far as it is used: processes, their session, their file."""

import sys

assert sys.platform == "win32"

from ctypes import POINTER, Structure, WinDLL, c_size_t, c_void_p, c_wchar
from ctypes.wintypes import BOOL, DWORD, FILETIME, HANDLE, LONG, LPCWSTR, LPWSTR, WORD

_kernel32 = WinDLL("kernel32", use_last_error=True)

PROCESS_QUERY_LIMITED_INFORMATION = 0x1000
SYNCHRONIZE = 0x00100000
ERROR_ACCESS_DENIED = 5
ERROR_INVALID_PARAMETER = 87
TH32CS_SNAPPROCESS = 0x00000002
INVALID_HANDLE_VALUE = c_void_p(-1).value
DETACHED_PROCESS = 0x00000008
CREATE_NEW_PROCESS_GROUP = 0x00000200
WAIT_OBJECT_0 = 0
MAX_PATH = 260


class PROCESSENTRY32(Structure):
    """One process of a snapshot."""

    _fields_ = (
        ("dwSize", DWORD),
        ("cntUsage", DWORD),
        ("th32ProcessID", DWORD),
        ("th32DefaultHeapID", c_size_t),
        ("th32ModuleID", DWORD),
        ("cntThreads", DWORD),
        ("th32ParentProcessID", DWORD),
        ("pcPriClassBase", LONG),
        ("dwFlags", DWORD),
        ("szExeFile", c_wchar * MAX_PATH),
    )


class STARTUPINFO(Structure):
    """How a process starts; all but ``cb`` zero: as its program has it."""

    _fields_ = (
        ("cb", DWORD),
        ("lpReserved", LPWSTR),
        ("lpDesktop", LPWSTR),
        ("lpTitle", LPWSTR),
        ("dwX", DWORD),
        ("dwY", DWORD),
        ("dwXSize", DWORD),
        ("dwYSize", DWORD),
        ("dwXCountChars", DWORD),
        ("dwYCountChars", DWORD),
        ("dwFillAttribute", DWORD),
        ("dwFlags", DWORD),
        ("wShowWindow", WORD),
        ("cbReserved2", WORD),
        ("lpReserved2", c_void_p),
        ("hStdInput", HANDLE),
        ("hStdOutput", HANDLE),
        ("hStdError", HANDLE),
    )


class PROCESS_INFORMATION(Structure):
    """A process that was started; both handles are the starter's to close."""

    _fields_ = (
        ("hProcess", HANDLE),
        ("hThread", HANDLE),
        ("dwProcessId", DWORD),
        ("dwThreadId", DWORD),
    )


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

GetProcessTimes = _kernel32.GetProcessTimes
GetProcessTimes.argtypes = (
    HANDLE,
    POINTER(FILETIME),  # creation
    POINTER(FILETIME),  # exit
    POINTER(FILETIME),  # kernel
    POINTER(FILETIME),  # user
)
GetProcessTimes.restype = BOOL

WaitForSingleObject = _kernel32.WaitForSingleObject
WaitForSingleObject.argtypes = (HANDLE, DWORD)
WaitForSingleObject.restype = DWORD

CreateToolhelp32Snapshot = _kernel32.CreateToolhelp32Snapshot
CreateToolhelp32Snapshot.argtypes = (DWORD, DWORD)
CreateToolhelp32Snapshot.restype = HANDLE

Process32First = _kernel32.Process32FirstW
Process32First.argtypes = (HANDLE, POINTER(PROCESSENTRY32))
Process32First.restype = BOOL

Process32Next = _kernel32.Process32NextW
Process32Next.argtypes = (HANDLE, POINTER(PROCESSENTRY32))
Process32Next.restype = BOOL

CreateProcess = _kernel32.CreateProcessW
CreateProcess.argtypes = (
    LPCWSTR,
    LPWSTR,
    c_void_p,
    c_void_p,
    BOOL,  # inherit handles
    DWORD,
    c_void_p,  # environment
    LPCWSTR,
    POINTER(STARTUPINFO),
    POINTER(PROCESS_INFORMATION),
)
CreateProcess.restype = BOOL
