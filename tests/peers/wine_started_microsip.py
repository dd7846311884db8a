"""Lets a Python that lies there as microsip.exe play MicroSIP when it is started like it.

The one who starts it knows nothing of tests: ``microsip.exe /minimized``. What it is to do
comes from the environment that it inherits.
"""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

assert sys.platform == "win32"

_STEER = "PLAYED_MICROSIP_STEER"
_AT_START = "from tests.peers.wine_started_microsip import play; play()"


def play() -> None:
    """Called by every Python that starts in this environment; returns in all but MicroSIP."""
    if sys.orig_argv[1:] != ["/minimized"]:
        return
    ini = Path(sys.orig_argv[0]).with_suffix(".ini")
    known = ["--ini", str(ini)] if ini.exists() else []
    sys.argv = ["microsip", "--steer", os.environ[_STEER], *known]  # noqa: TID251  inherited
    from tests.peers.wine_microsip_window import main  # noqa: PLC0415  for this one alone

    main()
    os._exit(0)


class Starts:
    """Where each MicroSIP that was started reports; when the test ends, they end."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._lines: list[socket.socket] = []

    @property
    def count(self) -> int:
        """How many have been started."""
        while True:
            try:
                line, _ = self._listener.accept()
            except BlockingIOError:
                return len(self._lines)
            self._lines.append(line)

    def close(self) -> None:
        assert self.count >= 0
        for line in self._lines:
            line.close()


@contextmanager
def startable(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Starts]:
    """While this lasts, what is installed as microsip.exe can be started by anybody."""
    inherited = os.environ  # noqa: TID251  a child of this process
    (folder / "sitecustomize.py").write_text(_AT_START, "ascii")
    patch.setenv("PYTHONPATH", f"{folder};{inherited['PYTHONPATH']}")
    patch.setenv("PYTHONHOME", sys.prefix)
    patch.setenv("PATH", f"{sys.prefix};{inherited['PATH']}")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        patch.setenv(_STEER, str(listener.getsockname()[1]))
        starts = Starts(listener)
        try:
            yield starts
        finally:
            starts.close()
