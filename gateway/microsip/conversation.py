"""A DDE conversation with MicroSIP, for the one thread that opened it."""

import sys

assert sys.platform == "win32"

import time
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, create_string_buffer
from ctypes.wintypes import DWORD, MSG
from dataclasses import dataclass
from typing import Self

from gateway.config import Dde
from gateway.errors import PhoneError
from gateway.microsip import user32
from gateway.microsip.dmlerr import NOT_RUNNING, STALE, STUCK, TIMED_OUT, Dmlerr, failure
from gateway.phone import Problem

USUAL_TOPICS = (None, "MicroSIP", "System")
BUSY_PAUSE = 0.2  # seconds before the one retry after DMLERR_BUSY
# Seconds until a question is put again in a new conversation: that is how one learns that
# a server has died, for the old one just stays silent.
FIRST_QUESTION = 1.0
_ANSI = "mbcs"  # what CF_TEXT is in


@dataclass(frozen=True, slots=True)
class _Transaction:
    kind: int
    item: str = ""
    data: bytes = b""
    clipboard_format: int = 0

    def may_be_repeated_after(self, code: int) -> bool:
        """A command never after a time-out: the server may have done it."""
        if code == Dmlerr.BUSY or code in STALE:
            return True
        return self.is_question and (code == Dmlerr.SERVER_DIED or code in TIMED_OUT)

    @property
    def is_question(self) -> bool:
        return self.kind == user32.XTYP_REQUEST


class Conversation:
    """Opened when first needed, and again when the server ended it.

    A *deadline* is a reading of time.monotonic(): nothing is handed over after it.
    """

    def __init__(self, settings: Dde) -> None:
        self._settings = settings
        self._instance = DWORD(0)
        self._callback = user32.PFNCALLBACK(self._notified)
        self._handle: int | None = None

    def __enter__(self) -> Self:
        flags = (
            user32.APPCMD_CLIENTONLY
            | user32.CBF_SKIP_REGISTRATIONS
            | user32.CBF_SKIP_UNREGISTRATIONS
        )
        if code := user32.DdeInitialize(byref(self._instance), self._callback, flags, 0):
            raise failure(code)
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self.close()
        user32.DdeUninitialize(self._instance)

    def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            user32.DdeDisconnect(handle)

    def execute(self, text: str, deadline: float) -> None:
        """Hand *text* over as one command string; raises PhoneError."""
        data = f"{text}\0".encode("utf-16-le")
        self._transact(_Transaction(user32.XTYP_EXECUTE, data=data), deadline)

    def request(self, item: str, deadline: float) -> str | None:
        """The server's text for *item*, None when it has none; raises PhoneError."""
        for clipboard_format, encoding in (
            (user32.CF_UNICODETEXT, "utf-16-le"),
            (user32.CF_TEXT, _ANSI),
        ):
            transaction = _Transaction(
                user32.XTYP_REQUEST, item=item, clipboard_format=clipboard_format
            )
            handle = self._transact(transaction, deadline)
            if handle is not None:
                return _text(handle, encoding)
        return None

    def _notified(self, kind: int, _format: int, handle: int, *_details: int) -> None:
        if kind == user32.XTYP_DISCONNECT and handle == self._handle:
            self._handle = None

    def _transact(self, transaction: _Transaction, deadline: float) -> int | None:
        """The data handle; None when a request was not processed."""
        first_wait = FIRST_QUESTION if transaction.is_question else float("inf")
        handle, code = self._attempt(transaction, deadline, first_wait)
        if code and transaction.may_be_repeated_after(code):
            if code == Dmlerr.BUSY:
                _pump(BUSY_PAUSE)
            handle, code = self._attempt(transaction, deadline)
        if code == Dmlerr.NOTPROCESSED and transaction.is_question:
            return None
        if code:
            raise failure(code)
        return handle

    def _attempt(
        self, transaction: _Transaction, deadline: float, longest: float = float("inf")
    ) -> tuple[int | None, int]:
        """The data handle with the DMLERR code, which is 0 when it was processed."""
        conversation = self._connected(deadline)
        remaining = min(deadline - time.monotonic(), longest)
        flags = DWORD(0)
        with self._string(transaction.item) as item:
            handle: int | None = user32.DdeClientTransaction(
                transaction.data or None,
                len(transaction.data),
                conversation,
                item,
                transaction.clipboard_format,
                transaction.kind,
                max(1, int(remaining * 1000)),
                byref(flags),
            )
        if handle is not None:
            return handle, user32.DMLERR_NO_ERROR
        code: int = user32.DdeGetLastError(self._instance) or Dmlerr.SYS_ERROR
        if flags.value & user32.DDE_FBUSY:
            code = Dmlerr.BUSY  # Wine says DMLERR_NOTPROCESSED
        if code in STALE | TIMED_OUT or code == Dmlerr.SERVER_DIED:
            self.close()  # after a time-out too: a late answer must not meet the next question
        return None, code

    def _connected(self, deadline: float) -> int:
        topics = (self._settings.topic,) if self._settings.topic else USUAL_TOPICS
        for topic in topics:
            if self._handle is None:
                self._handle = self._connect(topic)
            # DdeConnect takes no time-out: one hung window on the desktop held it for 38 s.
            if time.monotonic() >= deadline:
                raise PhoneError(Problem.NOT_RESPONDING, STUCK)
            if self._handle is not None:
                return self._handle
        raise PhoneError(Problem.NOT_RUNNING, NOT_RUNNING)

    def _connect(self, topic: str | None) -> int | None:
        with self._string(self._settings.service) as service, self._string(topic) as topic_name:
            handle: int | None = user32.DdeConnect(self._instance, service, topic_name, None)
            return handle

    @contextmanager
    def _string(self, text: str | None) -> Iterator[int | None]:
        if not text:
            yield None
            return
        handle = user32.DdeCreateStringHandle(self._instance, text, user32.CP_WINUNICODE)
        try:
            yield handle
        finally:
            user32.DdeFreeStringHandle(self._instance, handle)


def _text(handle: int, encoding: str) -> str:
    try:
        size = user32.DdeGetData(handle, None, 0, 0)
        buffer = create_string_buffer(size)
        user32.DdeGetData(handle, buffer, size, 0)
    finally:
        user32.DdeFreeDataHandle(handle)
    return buffer.raw.decode(encoding, errors="replace").partition("\0")[0].strip()


def _pump(seconds: float) -> None:
    """Wait, without holding up the DDE of others."""
    until = time.monotonic() + seconds
    message = MSG()
    while (remaining := until - time.monotonic()) > 0:
        user32.MsgWaitForMultipleObjects(
            0, None, False, int(remaining * 1000) + 1, user32.QS_ALLINPUT
        )
        while user32.PeekMessage(byref(message), None, 0, 0, user32.PM_REMOVE):
            user32.DispatchMessage(byref(message))
