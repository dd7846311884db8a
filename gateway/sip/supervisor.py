"""Keeps an engine process running: restarts it with back-off, stops it in order."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from prometheus_client import Counter

from gateway.errors import AlreadyRunning, ConfigError, GatewayError, SendError
from gateway.sip.engine_process import EngineProcess
from gateway.sip.wire import (
    Cause,
    Command,
    Listener,
    Open,
    Opened,
    OpenFailed,
    Report,
    Stop,
    Trouble,
)

log = logging.getLogger(__name__)

RESTART_SECONDS = 0.2
MAX_RESTART_SECONDS = 5.0
STEADY_SECONDS = 1.0
"""An engine that was open for this long did not fail at its start."""
LEAVE_SECONDS = 3.0
"""The engine gives registrars 2 s to answer, once nothing is in flight any more."""
PORT_SECONDS = 3.0
"""How long a port may stay with a gateway that is just ending."""
START_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Life:
    """How an engine's life went."""

    exit_code: int | None
    """None: it could not be started."""
    steady: bool
    """It was open for a while."""


class Supervisor:
    """Owns the engine process; *take* gets its reports, *ended* is called when it is gone."""

    def __init__(
        self,
        *,
        opening: Open,
        take: Callable[[Report], None],
        ended: Callable[[], None],
        starts: Counter,
    ) -> None:
        self._opening = opening
        self._take = take
        self._ended = ended
        self._starts = starts
        self._process: EngineProcess | None = None
        self._opened_at: float | None = None
        self._attempts = 0
        self._decided = asyncio.Event()
        self._error: GatewayError | None = None
        self._stopping = False
        self.trouble: OpenFailed | None = None
        """Why the engine opens nothing, while it does not."""

    @property
    def is_open(self) -> bool:
        return self._opened_at is not None

    @property
    def pid(self) -> int | None:
        """Of the engine that runs now."""
        return self._process.pid if self._process else None

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """With the real ports, once they are open."""
        return self._opening.listeners

    async def ready(self) -> None:
        """Returns once ports are open, or wait for the journal; raises what forbids them."""
        await self._decided.wait()
        if self._error is not None:
            raise self._error

    def tell(self, command: Command) -> None:
        """Raises SendError when no engine is open."""
        if self._process is None or not self.is_open:
            raise SendError("the SIP engine is not running; it is being restarted", sent=False)
        self._process.tell(command)

    async def run(self) -> None:
        """Until stopped, or the first start showed that there cannot be an engine."""
        delay = RESTART_SECONDS
        began = time.monotonic()
        while True:
            life = await self._live()
            self._decide(time.monotonic() - began)
            if self._stopping or self._error is not None:
                return
            if life.exit_code is not None:
                log.warning(
                    "the SIP engine ended with code %s; it is started again", life.exit_code
                )
            delay = RESTART_SECONDS if life.steady else min(delay * 2, MAX_RESTART_SECONDS)
            await asyncio.sleep(delay)

    async def stop(self, running: asyncio.Task[None], *, drain_seconds: float) -> None:
        """Ends the engine, and with it *running*, the task of ``run``.

        The engine waits *drain_seconds* for the answers to what is in flight.
        """
        self._stopping = True
        if self._process is not None and self.is_open:
            with contextlib.suppress(SendError):  # it is just ending by itself
                self._process.tell(Stop(drain_seconds))
            await asyncio.wait([running], timeout=drain_seconds + LEAVE_SECONDS)
        running.cancel()

    async def _live(self) -> _Life:
        """One engine from start to end."""
        self._starts.inc()
        self._attempts += 1
        try:
            self._process = await EngineProcess.start()
        except OSError as exc:
            self._fail(OpenFailed(Cause.SETTINGS, f"cannot start the SIP engine: {exc}"))
            return _Life(exit_code=None, steady=False)
        try:
            self._process.tell(self._opening)
            async for report in self._process.reports():
                self._note(report)
        finally:
            opened_at, self._opened_at = self._opened_at, None
            process, self._process = self._process, None
            code = await process.end()
            self._ended()
        steady = opened_at is not None and time.monotonic() - opened_at > STEADY_SECONDS
        return _Life(exit_code=code, steady=steady)

    def _note(self, report: Report) -> None:
        match report:
            case Opened(listeners=listeners):
                self._open(listeners)
            case OpenFailed():
                self._fail(report)
            case Trouble(text=text):
                log.error("SIP engine: %s", text)
            case _:
                self._take(report)

    def _open(self, listeners: tuple[Listener, ...]) -> None:
        self._opening = replace(self._opening, listeners=listeners)  # kept at a restart
        self._opened_at = time.monotonic()
        self.trouble = None
        self._decided.set()
        ports = ", ".join(f"{item.transport} {item.port}" for item in listeners)
        log.info("SIP engine %s listens on %s", self.pid, ports)

    def _fail(self, failure: OpenFailed) -> None:
        if failure != self.trouble:
            log.error("SIP engine: %s: %s", failure.cause, failure.detail)
        self.trouble = failure
        if failure.cause is Cause.JOURNAL_UNWRITABLE:
            self._decided.set()

    def _decide(self, elapsed: float) -> None:
        """After an engine's end: whether there is any use in starting the first one again."""
        if self._decided.is_set():
            return
        if self.trouble is None and self._attempts >= START_ATTEMPTS:
            self._error = ConfigError(
                "the SIP engine ends at its start: what it wrote to standard error says why"
            )
        elif self.trouble is not None and self.trouble.cause is Cause.SETTINGS:
            self._error = ConfigError(self.trouble.detail)
        elif self.trouble is not None and elapsed >= PORT_SECONDS:
            self._error = AlreadyRunning(self.trouble.detail)
        if self._error is not None:
            self._decided.set()
