"""The engine's ends of its two pipes: commands come in, reports go out."""

import contextlib
import os
import queue
import socket
import sys
import threading
import traceback
from collections.abc import Iterator

from gateway.sip.wire import Command, Frame, Open, Report, Send, Stop, decode, encode

_CHUNK = 65_536
EX_SOFTWARE = 70
_KEEP_ALIVE = b"\r\n\r\n"  # RFC 5626, section 3.5.1: PJSIP swallows it


class CommandReader:
    """Reads commands on a thread of its own, which touches nothing of PJSIP.

    At end-of-file the process ends on the spot: its gateway is gone, its ports must be free.
    So it does when the thread fails: nobody else would hear the gateway, nor see it go.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._wake_up: tuple[str, int] | None = None

    def start(self) -> None:
        threading.Thread(target=self._read, name="commands", daemon=True).start()

    def first(self) -> Open:
        """Waits for the Open that comes before everything else."""
        command = self._commands.get()
        assert isinstance(command, Open)
        return command

    def waiting(self) -> Iterator[Command]:
        """Those that came in, without waiting for more."""
        while True:
            try:
                yield self._commands.get_nowait()
            except queue.Empty:
                return

    def wake(self, address: tuple[str, int]) -> None:
        """From now on end PJSIP's wait by a datagram to its own *address*."""
        self._wake_up = address

    def _read(self) -> None:
        try:
            self._follow()
        finally:
            if (error := sys.exception()) is not None:
                traceback.print_exception(error)
            os._exit(EX_SOFTWARE if error else 0)

    def _follow(self) -> None:
        pending = b""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            while chunk := os.read(self._descriptor, _CHUNK):
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    self._commands.put(_command(line))
                if lines and self._wake_up:
                    # Without a network or the right to send, PJSIP's wait ends by itself.
                    with contextlib.suppress(OSError):
                        bell.sendto(_KEEP_ALIVE, self._wake_up)


class ReportWriter:
    """Writes whole frames to a descriptor that nobody else writes to."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __call__(self, *reports: Report) -> None:
        rest = b"".join(encode(report) for report in reports)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


def private_stdout() -> int:
    """A descriptor for the frames; what PJSIP prints to standard output goes nowhere."""
    private = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return private


def _command(line: bytes) -> Command:
    frame: Frame = decode(line)
    assert isinstance(frame, Open | Send | Stop)
    return frame
