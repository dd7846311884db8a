"""A PC with MicroSIP on it, installed and not yet started, for a gateway under Wine."""

import asyncio
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.peers.wine import REPOSITORY, WindowsPython, windows_path
from tests.peers.wine_steering import SteeredLine

VERSION = "3.22.3"
SETTINGS = (
    "[Settings]\r\naccountId=1\r\nsingleMode=1\r\nvolumeOutput=60\r\nvolumeInput=50\r\n"
    "[Account1]\r\nlabel=Büro\r\nserver=office.example\r\n"
)

_INSTALL = """
import sys
from pathlib import Path
from tests.peers.wine_installation import install
install(Path(sys.argv[1]), sys.argv[2])
print(sys.prefix)
"""
_AT_START = """
import sys
if sys.orig_argv[1:] == ["/minimized"]:
    from tests.peers.wine_started_microsip import play
    play()
"""


class InstalledMicroSip:
    """Started by whoever has its ``environment``; ``start`` waits until it is there.

    It is one MicroSIP for many tests: ``idle`` ends what goes on.
    """

    def __init__(self, python: WindowsPython, folder: Path) -> None:
        self.executable = folder / "Program Files" / "MicroSIP" / "microsip.exe"
        self._python = python
        self._folder = folder
        self._listener: socket.socket | None = None
        self._line: SteeredLine | None = None
        self._prefix = ""

    def __enter__(self) -> Self:
        place = windows_path(self.executable.parent)
        installed = self._python.run("-c", _INSTALL, place, VERSION)
        assert installed.returncode == 0, installed.stdout
        self._prefix = installed.stdout.strip()
        self.ini.write_text(SETTINGS, encoding="utf-16", newline="")
        (self._folder / "sitecustomize.py").write_text(_AT_START, "ascii")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(30)
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self.forget()
        assert self._listener is not None
        self._listener.close()

    @property
    def ini(self) -> Path:
        return self.executable.with_suffix(".ini")

    @property
    def environment(self) -> Mapping[str, str]:
        """Of a program that may start it."""
        assert self._listener is not None, "it is not installed yet"
        return {
            "PYTHONPATH": f"{windows_path(self._folder)};{windows_path(REPOSITORY)}",
            "PYTHONHOME": self._prefix,
            "WINEPATH": self._prefix,
            "PLAYED_MICROSIP_STEER": str(self._listener.getsockname()[1]),
        }

    @property
    def runs(self) -> bool:
        return self._line is not None

    async def started(self) -> SteeredLine:
        """The one that somebody starts now."""
        assert self._listener is not None, "it is not installed yet"
        line = SteeredLine("MicroSIP")
        await asyncio.to_thread(line.accept, self._listener)
        self._line = line
        return line

    def idle(self) -> SteeredLine:
        """With no call, nor an order of the test before."""
        assert self._line is not None, "it does not run"
        self._line.order("release")
        self._line.order("far_side_ends")
        self._line.order("reset")
        return self._line

    def forget(self) -> None:
        """It is ended, unless it has done so."""
        if self._line is not None:
            self._line.see_off()
            self._line = None
