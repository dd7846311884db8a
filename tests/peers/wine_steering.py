"""The line between a test and a peer process on the Windows desktop: JSON over loopback.

The peer reports what happens to it, a line each; the test sends orders, each answered
with ``done``. Nothing of it goes through DDE or windows, so it works while those hang.
"""

import json
import os
import select
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

Start = Callable[..., subprocess.Popen[bytes]]
"""Starts a Windows Python with these arguments."""

Report = dict[str, Any]


class Steering:
    """The peer's end."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._received = b""

    def report(self, event: str, **facts: object) -> None:
        self._socket.sendall(json.dumps({"event": event, **facts}).encode() + b"\n")

    def obey(self, servant: object, *, wait: float | None) -> None:
        """Call ``servant.order_NAME`` for what comes within *wait* seconds.

        When the test is gone, this process goes too.
        """
        if not select.select([self._socket], [], [], wait)[0]:
            return
        received = self._socket.recv(65536)
        if not received:
            os._exit(0)
        *lines, self._received = (self._received + received).split(b"\n")
        for order in map(json.loads, lines):
            getattr(servant, "order_" + order.pop("order"))(**order)
            self.report("done")


class SteeredLine:
    """The test's end of the line to a peer that somebody else starts."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._reports: list[Report] = []

    def accept(self, listener: socket.socket) -> None:
        """Returns when the peer is ready."""
        self._socket, _ = listener.accept()
        self._socket.settimeout(15)
        self._lines = self._socket.makefile("rb")
        assert self._read()["event"] == "ready"

    def hang_up(self) -> None:
        """By which the peer ends."""
        self._lines.close()
        self._socket.close()

    def see_off(self) -> None:
        """Hang up, and wait until the peer has ended."""
        with suppress(OSError):  # it has ended before
            self._socket.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            while self._lines.readline():
                pass
        self.hang_up()

    def order(self, name: str, **facts: object) -> None:
        """Returns when the peer has done it."""
        self.order_only(name, **facts)
        while (report := self._read())["event"] != "done":
            self._reports.append(report)

    def order_only(self, name: str, **facts: object) -> None:
        self._socket.sendall(json.dumps({"order": name, **facts}).encode() + b"\n")

    def reports(self, event: str) -> list[Report]:
        """Those of *event* since this was last asked for any."""
        self.order("sync")
        found = [report for report in self._reports if report["event"] == event]
        self._reports.clear()
        return found

    def wait_for(self, event: str) -> Report:
        """The next report of *event*."""
        for index, report in enumerate(self._reports):
            if report["event"] == event:
                del self._reports[: index + 1]
                return report
        self._reports.clear()
        while (report := self._read())["event"] != event:
            pass
        return report

    def _read(self) -> Report:
        line = self._lines.readline()
        assert line, f"{self._name} has ended"
        report: Report = json.loads(line)
        return report


class SteeredPeer(SteeredLine):
    """One that the test starts itself, and ends by hanging up."""

    def __init__(self, start: Start, module: str, *options: str) -> None:
        super().__init__(module)
        self._start = start
        self._options = options

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(30)
            port = listener.getsockname()[1]
            self._process = self._start("-m", self._name, "--steer", str(port), *self._options)
            self.accept(listener)
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self.hang_up()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        if self._process.stdout:
            self._process.stdout.close()

    def ended(self) -> int:
        """The exit code of a peer that ends by itself."""
        return self._process.wait(10)
