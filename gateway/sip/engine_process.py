"""One life of the engine process, as the gateway sees it."""

import asyncio
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from typing import Self

from gateway.errors import SendError
from gateway.sip.wire import Command, Open, Report, Send, Stop, decode, encode

log = logging.getLogger(__name__)

END_SECONDS = 2.0
_CHUNK = 65_536


class EngineProcess:
    """It ends by itself when its standard input does."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._told: list[bytes] = []

    @classmethod
    async def start(cls) -> Self:
        """Raises OSError."""
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway.sip.engine", stdin=PIPE, stdout=PIPE
            )
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, command: Command) -> None:
        """Raises SendError when the engine is gone."""
        stdin = self._process.stdin
        if stdin is None or stdin.is_closing():
            raise SendError("the SIP engine ended", sent=False)
        if not self._told:
            asyncio.get_running_loop().call_soon(self._write)
        self._told.append(encode(command))

    def _write(self) -> None:
        """What was told in one turn of the loop, in one piece: the engine wakes once for it."""
        told, self._told = self._told, []
        if told and self._process.stdin is not None:
            self._process.stdin.write(b"".join(told))

    async def reports(self) -> AsyncIterator[Report]:
        """Until the engine closes its end, however it came to that, or writes no report."""
        assert self._process.stdout is not None
        pending = b""  # of a frame whose end is still to come, or never will: it was killed
        try:
            while chunk := await self._process.stdout.read(_CHUNK):
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    yield _report(line)
                if len(pending) > _CHUNK:
                    raise ValueError("a frame without end")  # noqa: TRY301  as any other
        except ValueError as exc:
            log.error("the SIP engine is ended: it wrote %s", exc)  # noqa: TRY400
            self.kill()

    async def end(self) -> int:
        """Close its input, wait, kill it if that takes too long; returns its exit code."""
        assert self._process.stdin is not None
        self._write()
        self._process.stdin.close()
        try:
            async with asyncio.timeout(END_SECONDS):
                return await self._process.wait()
        except TimeoutError:
            self.kill()
            return await self._process.wait()

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()


def _report(line: bytes) -> Report:
    """Raises ValueError."""
    match decode(line):
        case Open() | Send() | Stop():
            raise ValueError("a command")
        case report:
            return report
