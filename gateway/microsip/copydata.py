"""MicroSIP by WM_COPYDATA: the way into the MicroSIP that has no DDE server."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol, Self, TypeVar

from gateway.errors import PhoneError
from gateway.microsip.controls import Controls, look_at
from gateway.microsip.instance import Instance, pick
from gateway.microsip.versions import (
    NOT_LOOKED,
    OLDEST,
    PING,
    READ_FIRST,
    CloseWindow,
    Impossible,
    Pause,
    Plan,
    Text,
    Version,
    describe,
    plan,
    plan_message,
)
from gateway.phone import PhoneCommand, Problem
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look

Sleep = Callable[[float], Awaitable[None]]
"""Lets that many seconds pass: asyncio.sleep."""

T = TypeVar("T")

PATIENCE = 5.0  # seconds that the caller waits for an answer to one string
# Seconds: MicroSIP answers nobody while it waits for one of its event hooks, up to 10 s.
LONGEST_ANSWER = 12.0

DROPPED = "MicroSIP is still starting, or is suspended; nothing was done: try again in a moment"
BLOCKED = (
    "Windows keeps the gateway from reaching MicroSIP, which runs as administrator; run both "
    'the same way: both normal, or both "as administrator"'
)
NOT_RESPONDING = (
    "MicroSIP did not answer in time, but may have done it: look at the phone first"
)
STUCK = (
    "MicroSIP does not respond (it waits up to 10 s for a program that it runs at a call); "
    "nothing was sent: try again, or restart MicroSIP"
)
DIED = "MicroSIP ended while it was asked; look at the phone before trying again"
PARTLY = "MicroSIP took only a part of it: look at the phone first"


class Reply(Enum):
    """What became of one string."""

    TAKEN = auto()
    """Executed, or at least begun: MicroSIP tells no more."""
    DROPPED = auto()
    """Its SIP stack is not up: not executed."""
    BLOCKED = auto()
    """Windows did not let it through: not executed."""
    SILENT = auto()
    """No answer: it may be executed later."""
    DIED = auto()
    """MicroSIP ended meanwhile."""


_ERRORS = {
    Reply.DROPPED: (Problem.FAILED, DROPPED),
    Reply.BLOCKED: (Problem.FAILED, BLOCKED),
    Reply.SILENT: (Problem.NOT_RESPONDING, NOT_RESPONDING),
    Reply.DIED: (Problem.NOT_RESPONDING, DIED),
}


class Desktop(Protocol):
    """The windows of the user's session; its methods are called on a worker thread."""

    def instances(self) -> Sequence[Instance]:
        """Every MicroSIP that runs here."""

    def version(self, instance: Instance) -> Version | None:
        """None where nothing tells."""

    def send(self, instance: Instance, text: str, timeout: float) -> Reply:
        """Blocks until MicroSIP has answered."""

    def controls(self, instance: Instance, timeout: float) -> Controls:
        """What its windows show; what they do not tell in *timeout* seconds is left out."""

    def close(self, instance: Instance) -> Reply:
        """Tell it to end; does not wait for that."""


@dataclass(frozen=True, slots=True)
class _Found:
    instance: Instance
    version: Version


class CopyDataChannel:
    """MicroSIP's main window, looked for before each command.

    It has no Status; its windows show as much. A send that hangs is left to its thread;
    until it comes back, commands fail at once.
    """

    name = "copydata"
    simulated = False

    def __init__(
        self, *, desktop: Desktop, executable: str, sleep: Sleep, patience: float = PATIENCE
    ) -> None:
        self._desktop = desktop
        self._executable = executable
        self._sleep = sleep
        self._patience = patience
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="copydata")
        self._working: Future[Any] | None = None
        self._turn = asyncio.Lock()
        self._found: _Found | None = None
        self._seen = NOT_LOOKED

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        self._worker.shutdown(wait=False)

    def phrase(self, command: PhoneCommand) -> str:
        version = self._found.version if self._found else OLDEST
        return describe(plan(command, version, self._seen))

    async def execute(self, command: PhoneCommand) -> None:
        found = await self._find()
        if command.verb in READ_FIRST:
            self._seen = await self._read_first(found.instance)
        await self._carry_out(found.instance, plan(command, found.version, self._seen))

    async def _carry_out(self, instance: Instance, steps: Plan) -> None:
        if isinstance(steps, Impossible):
            raise PhoneError(Problem.FAILED, steps.reason)
        begun = False
        for step in steps:
            if isinstance(step, Pause):
                await self._sleep(step.seconds)
                continue
            try:
                await self._take(instance, step)
            except PhoneError as exc:
                if begun:
                    raise PhoneError(Problem.NOT_RESPONDING, PARTLY) from exc
                raise
            begun = True

    async def write(self, message: PhoneMessage) -> None:
        found = await self._find()
        await self._carry_out(found.instance, plan_message(message, found.version))

    async def status(self) -> Look:
        """As its windows show; raises PhoneError when it would take nothing."""
        found = await self._find()
        try:
            await self._take(found.instance, Text(PING))
            self._seen = await self._read_controls(found.instance)
            if not self._seen.states:  # it may have changed just then
                self._seen = await self._read_controls(found.instance)
        except PhoneError as exc:
            if exc.problem == Problem.NOT_RESPONDING:
                raise PhoneError(exc.problem, STUCK) from exc  # only the ping was sent
            raise
        return self._seen

    async def _read_first(self, instance: Instance) -> Look:
        try:
            return await self._read_controls(instance)
        except PhoneError as exc:
            raise PhoneError(Problem.FAILED, STUCK) from exc  # so that it was not done

    async def _read_controls(self, instance: Instance) -> Look:
        def work() -> Controls:
            return self._desktop.controls(instance, self._patience / 2)

        return look_at(await self._on_worker(work))

    async def _find(self) -> _Found:
        try:
            self._found = await self._on_worker(self._look)
        except PhoneError as exc:
            if exc.problem == Problem.NOT_RESPONDING:
                raise PhoneError(exc.problem, STUCK) from exc  # nothing was sent
            raise
        return self._found

    def _look(self) -> _Found:
        instance = pick(self._desktop.instances(), self._executable)
        known = self._found
        if known is not None and known.instance == instance:
            return known
        return _Found(instance, self._desktop.version(instance) or OLDEST)

    async def _take(self, instance: Instance, step: Text | CloseWindow) -> None:
        def work() -> Reply:
            if isinstance(step, CloseWindow):
                return self._desktop.close(instance)
            return self._desktop.send(instance, step.text, LONGEST_ANSWER)

        reply = await self._on_worker(work)
        if reply is not Reply.TAKEN:
            raise PhoneError(*_ERRORS[reply])

    async def _on_worker(self, work: Callable[[], T]) -> T:
        async with self._turn:
            if self._working is not None and not self._working.done():
                raise PhoneError(Problem.NOT_RESPONDING, STUCK)
            working = self._worker.submit(work)
            self._working = working
            try:
                async with asyncio.timeout(self._patience):
                    return await asyncio.wrap_future(working)
            except TimeoutError as exc:
                raise PhoneError(Problem.NOT_RESPONDING, NOT_RESPONDING) from exc
