"""MicroSIP by DDE: the crossing to the one thread that DDEML may be used on."""

import sys

assert sys.platform == "win32"

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from ctypes import byref
from ctypes.wintypes import MSG
from typing import Self

from gateway.config import Dde
from gateway.errors import PhoneError
from gateway.microsip import user32
from gateway.microsip.conversation import Conversation
from gateway.microsip.dmlerr import NOT_RESPONDING, STUCK
from gateway.microsip.phrase import phrase
from gateway.phone import PhoneCommand, Problem
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look

GRACE = (
    0.25  # seconds that DDEML's own time-out has to arrive in before the thread is left alone
)
JOIN_TIMEOUT = 2.0  # seconds; a thread that hangs longer dies with the process
STATUS_ITEM = "Status"
NO_MESSAGES = (
    "MicroSIP's DDE interface has no messages; without as:me the gateway sends it under its"
    " own name"
)

Work = Callable[[Conversation, float], str | None]

log = logging.getLogger(__name__)


class _Job:
    """One transaction on its way to the thread, with its answer on the way back."""

    def __init__(self, work: Work, deadline: float) -> None:
        self.deadline = deadline
        self.answer: Future[str | None] = Future()
        self._work = work

    def run(self, conversation: Conversation) -> None:
        if not self.answer.set_running_or_notify_cancel():
            return  # its caller was told that nothing was sent
        try:
            text = self._work(conversation, self.deadline)
        except (PhoneError, OSError) as exc:
            self.answer.set_exception(exc)
        else:
            self.answer.set_result(text)


class _Pump(threading.Thread):
    """Takes turns at jobs and window messages.

    A thread that has used DDEML and does not pump blocks everybody else's DDE.
    """

    def __init__(self, settings: Dde) -> None:
        super().__init__(name="dde", daemon=True)
        self.opened: Future[None] = Future()
        self.busy_until: float | None = None
        """The deadline of the job that runs now: beyond it, the thread hangs."""
        self._settings = settings
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()

    def submit(self, job: _Job | None) -> None:
        """None ends the thread."""
        self._jobs.put(job)
        assert self.native_id is not None
        user32.PostThreadMessage(self.native_id, user32.WM_NULL, 0, 0)

    def run(self) -> None:
        message = MSG()
        # The thread has no message queue, and cannot be woken, until it asks for one.
        user32.PeekMessage(byref(message), None, 0, 0, user32.PM_NOREMOVE)
        try:
            with Conversation(self._settings) as conversation:
                self.opened.set_result(None)
                while (job := self._next_job()) is not None:
                    self.busy_until = job.deadline
                    job.run(conversation)
                    self.busy_until = None
        except PhoneError as exc:
            self.opened.set_exception(exc)

    def _next_job(self) -> _Job | None:
        message = MSG()
        while True:
            try:
                return self._jobs.get_nowait()
            except queue.Empty:
                user32.GetMessage(byref(message), None, 0, 0)
                user32.DispatchMessage(byref(message))


class DdeChannel:
    """MicroSIP's DDE server, found anew whenever it was away.

    DdeConnect can hang for as long as any window on the desktop does. The caller waits
    for the configured time and then leaves the thread to itself; until it comes back,
    commands fail at once.
    """

    name = "dde"
    simulated = False

    def __init__(self, settings: Dde) -> None:
        self._settings = settings
        self._pump = _Pump(settings)
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        self._pump.start()
        await asyncio.wrap_future(self._pump.opened)
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        self._pump.submit(None)
        await asyncio.to_thread(self._pump.join, JOIN_TIMEOUT)
        if self._pump.is_alive():
            log.warning("the DDE thread still waits for a window that hangs")

    def phrase(self, command: PhoneCommand) -> str:
        return phrase(command, self._settings.syntax)

    async def execute(self, command: PhoneCommand) -> None:
        text = self.phrase(command)

        def work(conversation: Conversation, deadline: float) -> None:
            conversation.execute(text, deadline)

        await self._on_thread(work, NOT_RESPONDING)

    async def write(self, message: PhoneMessage) -> None:  # noqa: ARG002  the port's name
        raise PhoneError(Problem.FAILED, NO_MESSAGES)

    async def status(self) -> Look:
        def work(conversation: Conversation, deadline: float) -> str | None:
            return conversation.request(STATUS_ITEM, deadline)

        return Look(words=await self._on_thread(work, STUCK))

    async def _on_thread(self, work: Work, unanswered: str) -> str | None:
        async with self._turn:
            self._check_thread()
            timeout = self._settings.timeout.total_seconds()
            job = _Job(work, time.monotonic() + timeout)
            self._pump.submit(job)
            try:
                async with asyncio.timeout(timeout + GRACE):
                    return await asyncio.wrap_future(job.answer)
            except TimeoutError as exc:
                never_begun = job.answer.cancel()
                text = STUCK if never_begun else unanswered
                raise PhoneError(Problem.NOT_RESPONDING, text) from exc
            except OSError as exc:
                raise PhoneError(Problem.FAILED, f"DDE failed: {exc}; try again") from exc

    def _check_thread(self) -> None:
        busy_until = self._pump.busy_until
        if busy_until is not None and time.monotonic() >= busy_until:
            raise PhoneError(Problem.NOT_RESPONDING, STUCK)
        if not self._pump.is_alive():
            raise PhoneError(Problem.FAILED, "DDE has stopped; restart the gateway")
