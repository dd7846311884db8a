"""MicroSIP as a program: started when it is missing, ended when it must be, never twice."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from gateway.errors import PhoneError
from gateway.microsip.copydata import BLOCKED, Reply, Sleep
from gateway.microsip.installation import is_file
from gateway.microsip.instance import Instance, pick, same_path
from gateway.phone import Problem

MINIMIZED = "/minimized"
"""In the tray, and nothing else if it runs already."""

START_WAIT = 20.0  # seconds until MicroSIP takes commands
LOOK_EVERY = 0.25  # seconds
# Seconds: MicroSIP takes up to 10 for an event hook before it looks at anything else.
END_WAIT = 15.0

SESSION_0 = (
    "this is session 0, which sees no window of the user's, and where MicroSIP must never run; "
    "start the gateway in the user's session, by Task Scheduler at log-on"
)
NOWHERE = (
    "MicroSIP is not running, and no microsip.exe was found to start; set [phone] executable "
    "to its path"
)
NO_WINDOW = (
    "MicroSIP was started, but shows no window yet; see on its PC what it waits for, then try "
    "again"
)
ENDED_AT_ONCE = "MicroSIP ended at once after it was started; start it by hand to see why"
STAYS = "MicroSIP was told to end, but still runs; end it by its menu, then try again"

Answers = Callable[[], Awaitable[object]]
"""Raises PhoneError while MicroSIP takes no commands: Channel.status."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class Windows(Protocol):
    """MicroSIP's windows; its methods are called on a worker thread."""

    def instances(self) -> Sequence[Instance]:
        """Every MicroSIP that runs here."""

    def close(self, instance: Instance) -> Reply:
        """Tell it to end; does not wait for that."""


class Processes(Protocol):
    """The processes of the user's session; its methods are called on a worker thread."""

    def session(self) -> int:
        """0 is where services live."""

    def running(self, executable: str) -> Sequence[int]:
        """Those whose file it is; also those of that name whose path Windows keeps back."""

    def start(self, executable: str, argument: str) -> int:
        """In the folder of its file; raises PhoneError."""

    def ended(self, process: int, timeout: float) -> bool:
        """Whether it has within *timeout* seconds; blocks meanwhile."""


class MicroSipProcess:
    """The MicroSIP that is to be driven; one start at a time."""

    def __init__(
        self,
        *,
        windows: Windows,
        processes: Processes,
        executable: str,
        find: Callable[[], Path | None],
        sleep: Sleep,
        patience: float = START_WAIT,
    ) -> None:
        """*executable* as configured; empty: the one that runs, else what *find* finds."""
        self._windows = windows
        self._processes = processes
        self._configured = executable
        self._find = find
        self._sleep = sleep
        self._patience = patience
        self._turn = asyncio.Lock()

    def executable(self) -> Path | None:
        """Which one it is; blocks for a moment. Raises PhoneError when several may be meant."""
        if self._configured:
            return Path(self._configured)
        if running := self._windows.instances():
            return Path(pick(running, "").executable) if running[0].executable else None
        return self._find()

    def running(self) -> bool:
        """Whether there is a process of it; blocks for a moment."""
        return bool(self._all_processes(self.executable()))

    async def start(self, answers: Answers) -> None:
        """Returns when MicroSIP takes commands; raises PhoneError."""
        async with self._turn:
            await self._start(await asyncio.to_thread(self.executable), answers)

    async def while_stopped(self, work: Callable[[], T], answers: Answers) -> T:
        """Do *work* on a thread while MicroSIP is ended; what ran is started again.

        Raises PhoneError when it does not end, or is not back.
        """
        async with self._turn:
            executable = await asyncio.to_thread(self.executable)
            done, ran = await asyncio.to_thread(self._while_ended, executable, work)
            if ran:
                await self._start(executable, answers)
            return done

    def _while_ended(self, executable: Path | None, work: Callable[[], T]) -> tuple[T, bool]:
        """With whether it ran; on one thread, which goes on when its caller is cancelled."""
        ran = self._stop(executable)
        try:
            return work(), ran
        finally:
            if ran and not self._is_there(executable):
                self._kept(str(executable), False)

    async def _start(self, executable: Path | None, answers: Answers) -> None:
        if await asyncio.to_thread(self._is_there, executable):
            await answers()  # it says itself why it takes no commands
            return
        await self._until_it_answers(str(executable), answers)

    def _is_there(self, executable: Path | None) -> bool:
        """Whether it has a window already; raises PhoneError when it must not be started."""
        if self._processes.session() == 0:
            raise PhoneError(Problem.FAILED, SESSION_0)
        if executable is None:
            raise PhoneError(Problem.NOT_RUNNING, NOWHERE)
        if not is_file(executable):
            raise PhoneError(
                Problem.NOT_RUNNING,
                f"MicroSIP is not running, and there is no {executable} to start; correct "
                "[phone] executable",
            )
        running = self._windows.instances()
        if running:
            pick(running, str(executable))  # beside another one it is not started
        return bool(running)

    async def _until_it_answers(self, executable: str, answers: Answers) -> None:
        started = False
        seen = PhoneError(Problem.NOT_RUNNING, NO_WINDOW)
        try:
            async with asyncio.timeout(self._patience):
                while True:
                    try:
                        await answers()
                    except PhoneError as exc:
                        seen = _noted(exc, seen)
                    else:
                        log.info("MicroSIP takes commands")
                        return
                    if seen.problem == Problem.NOT_RUNNING:
                        started = await asyncio.to_thread(self._kept, executable, started)
                    await self._sleep(LOOK_EVERY)
        except TimeoutError:
            shown = await asyncio.to_thread(self._windows.instances)
            hidden = seen.problem == Problem.NOT_RUNNING and not shown
            why = NO_WINDOW if hidden else seen.detail
            raise PhoneError(Problem.FAILED, why) from seen

    def _kept(self, executable: str, started: bool) -> bool:  # noqa: FBT001  for a thread
        """Whether it was started, after it is now if nothing of it runs.

        A process without a window is starting, or ending: then it is waited for.
        """
        if self._processes.running(executable) or self._windows.instances():
            return started
        if started:
            raise PhoneError(Problem.FAILED, ENDED_AT_ONCE)
        process = self._processes.start(executable, MINIMIZED)
        log.info("MicroSIP is started: %s, process %s", executable, process)
        return True

    def _stop(self, executable: Path | None) -> bool:
        """Whether it ran."""
        if self._processes.session() == 0:
            raise PhoneError(Problem.FAILED, SESSION_0)
        processes = self._all_processes(executable)
        for instance in self._meant(executable):
            log.info("MicroSIP is told to end: process %s", instance.process)
            if self._windows.close(instance) is Reply.BLOCKED:
                raise PhoneError(Problem.FAILED, BLOCKED)
        for process in processes:
            if not self._processes.ended(process, END_WAIT):
                raise PhoneError(Problem.FAILED, STAYS)
        return bool(processes)

    def _meant(self, executable: Path | None) -> Sequence[Instance]:
        return [one for one in self._windows.instances() if _may_be(one, executable)]

    def _all_processes(self, executable: Path | None) -> set[int]:
        """With those that have no window yet, or no more."""
        processes = {instance.process for instance in self._meant(executable)}
        if executable is not None:
            processes |= set(self._processes.running(str(executable)))
        return processes


def _may_be(instance: Instance, executable: Path | None) -> bool:
    """One whose path is kept back may be any."""
    if executable is None or not instance.executable:
        return True
    return same_path(instance.executable, str(executable))


def _noted(error: PhoneError, before: PhoneError) -> PhoneError:
    if error.detail != before.detail:
        log.info("waiting for MicroSIP: %s", error.detail)
    return error
