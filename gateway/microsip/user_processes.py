"""The processes of the Windows session that this process is in."""

import sys

assert sys.platform == "win32"

import ntpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import (
    POINTER,
    FormatError,
    byref,
    cast,
    create_string_buffer,
    create_unicode_buffer,
    get_last_error,
    sizeof,
)
from ctypes.wintypes import DWORD, FILETIME, HANDLE
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.errors import PhoneError
from gateway.microsip import advapi32, kernel32
from gateway.microsip.instance import same_path
from gateway.phone import Problem

_LONGEST_PATH = 32768
_FIRST_TICK = datetime(1601, 1, 1, tzinfo=UTC)  # of 100 ns each


class UserProcesses:
    """Those of this session: another user's MicroSIP is another user's."""

    def session(self) -> int:
        return session_of(kernel32.GetCurrentProcessId())

    def running(self, executable: str) -> Sequence[int]:
        here = self.session()
        name = ntpath.basename(executable).lower()
        return [
            process
            for process, file_name in _snapshot()
            if file_name.lower() == name
            and session_of(process) == here
            and same_path(image_of(process) or executable, executable)
        ]

    def start(self, executable: str, argument: str) -> int:
        information = kernel32.PROCESS_INFORMATION()
        started = kernel32.CreateProcess(
            *(executable, create_unicode_buffer(f'"{executable}" {argument}')),
            *(None, None, False),
            kernel32.DETACHED_PROCESS | kernel32.CREATE_NEW_PROCESS_GROUP,
            *(None, str(Path(executable).parent)),
            byref(kernel32.STARTUPINFO(sizeof(kernel32.STARTUPINFO))),
            byref(information),
        )
        if not started:
            why = FormatError(get_last_error()).strip()
            raise PhoneError(Problem.FAILED, f"{executable} cannot be started: {why}")
        kernel32.CloseHandle(information.hThread)
        kernel32.CloseHandle(information.hProcess)
        process: int = information.dwProcessId
        return process

    def ended(self, process: int, timeout: float) -> bool:
        with _opened(process, kernel32.SYNCHRONIZE) as handle:
            if handle is None:
                return get_last_error() == kernel32.ERROR_INVALID_PARAMETER
            waited = kernel32.WaitForSingleObject(handle, int(timeout * 1000))
        return bool(waited == kernel32.WAIT_OBJECT_0)

    def integrity(self, process: int | None = None) -> int | None:
        """Its integrity level, of this process without one; None where Windows keeps it."""
        wanted = kernel32.GetCurrentProcessId() if process is None else process
        with _opened(wanted, kernel32.PROCESS_QUERY_LIMITED_INFORMATION) as handle:
            token = HANDLE()
            if handle is None or not advapi32.OpenProcessToken(
                handle, advapi32.TOKEN_QUERY, byref(token)
            ):
                return None
            try:
                return _integrity(token)
            finally:
                kernel32.CloseHandle(token)


def session_of(process: int) -> int:
    """0 is where services live, away from every user's windows."""
    session = DWORD()
    kernel32.ProcessIdToSessionId(process, byref(session))
    return session.value


def image_of(process: int) -> str:
    """The path of its executable; empty where Windows does not tell."""
    with _opened(process, kernel32.PROCESS_QUERY_LIMITED_INFORMATION) as handle:
        if handle is None:
            return ""
        path = create_unicode_buffer(_LONGEST_PATH)
        length = DWORD(len(path))
        kernel32.QueryFullProcessImageName(handle, 0, path, byref(length))
        return path.value


def began_at(process: int) -> datetime | None:
    """None where Windows does not tell."""
    times = [FILETIME() for _ in range(4)]
    with _opened(process, kernel32.PROCESS_QUERY_LIMITED_INFORMATION) as handle:
        if handle is None or not kernel32.GetProcessTimes(handle, *map(byref, times)):
            return None
    ticks = times[0].dwHighDateTime << 32 | times[0].dwLowDateTime
    return _FIRST_TICK + timedelta(microseconds=ticks // 10)


@contextmanager
def _opened(process: int, access: int) -> Iterator[int | None]:
    handle = kernel32.OpenProcess(access, False, process)
    try:
        yield handle
    finally:
        if handle:
            kernel32.CloseHandle(handle)


def _snapshot() -> Iterator[tuple[int, str]]:
    """Every process with the name of its file."""
    snapshot = kernel32.CreateToolhelp32Snapshot(kernel32.TH32CS_SNAPPROCESS, 0)
    if snapshot == kernel32.INVALID_HANDLE_VALUE:
        why = FormatError(get_last_error()).strip()
        raise PhoneError(Problem.FAILED, f"Windows does not list its processes: {why}")
    try:
        entry = kernel32.PROCESSENTRY32(sizeof(kernel32.PROCESSENTRY32))
        more = kernel32.Process32First(snapshot, byref(entry))
        while more:
            yield entry.th32ProcessID, entry.szExeFile
            more = kernel32.Process32Next(snapshot, byref(entry))
    finally:
        kernel32.CloseHandle(snapshot)


def _integrity(token: HANDLE) -> int | None:
    """The last part of the label's SID (S-1-16-8192: medium)."""
    size = DWORD()
    level = advapi32.TokenIntegrityLevel
    advapi32.GetTokenInformation(token, level, None, 0, byref(size))
    label = create_string_buffer(size.value)
    if not advapi32.GetTokenInformation(token, level, label, size, byref(size)):
        return None
    sid = cast(label, POINTER(advapi32.SID_AND_ATTRIBUTES)).contents.Sid
    last = advapi32.GetSidSubAuthorityCount(sid).contents.value - 1
    value: int = advapi32.GetSidSubAuthority(sid, last).contents.value
    return value
