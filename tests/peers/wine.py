"""Windows CPython under Wine, for the tests of the Windows side."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Self

import platformdirs
import pytest
from filelock import FileLock

from tests.peers.wine_build import build

CACHE = Path(platformdirs.user_cache_dir("sip-gateway-tests", appauthor=False)) / "wine"
REPOSITORY = Path(__file__).parents[2]

_HOLD_THE_DESKTOP = """
import ctypes, threading
ctypes.windll.user32.GetDesktopWindow()
print("held")
threading.Event().wait()
"""


def windows_path(path: Path) -> str:
    """*path* as Windows programs name it: Wine shows the root as drive Z."""
    return "Z:" + str(path).replace("/", "\\")


class WindowsPython:
    """A Windows Python on a desktop of its own; the gateway is importable in it.

    Building it takes a minute the first time and is kept in *folder*. One session at a
    time uses a folder: its desktop and its Wine server are ended with the session.
    """

    def __init__(self, *, folder: Path = CACHE) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._environment: dict[str, str] = {}
        self._python = folder

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(self._folder / "lock"))
            self._python = build(self._folder)
            display = stack.enter_context(_display())
            self._environment = self._variables(display)
            stack.callback(self._wine_server, "--wait")
            stack.callback(self._wine_server, "--kill")
            self._make_prefix()
            stack.enter_context(self._desktop())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self._stack.close()

    def start(
        self,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        stderr: int | IO[bytes] = subprocess.STDOUT,
    ) -> subprocess.Popen[bytes]:
        """Start ``python.exe`` with *arguments* and its output in a pipe.

        A Unix pipe as its input, or a file as its output, Windows Python refuses; nor has
        it any use for a console.
        """
        return subprocess.Popen(
            ["wine", str(self._python / "python.exe"), *arguments],
            env={**self._environment, **(environment or {})},
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )

    def run(
        self,
        *arguments: str,
        timeout: float = 60,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python.exe`` to its end."""
        process = self.start(*arguments, environment=environment)
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as exc:
            end(process)
            said = (exc.output or b"").decode(errors="replace")
            raise AssertionError(f"python.exe {arguments} is still running:\n{said}") from exc
        return subprocess.CompletedProcess(
            arguments, process.returncode, output.decode(errors="replace").replace("\r", "")
        )

    @property
    def pywin32(self) -> str:
        """The folder of pywin32, as Windows names it."""
        return windows_path(self._python / "pywin32")

    def _variables(self, display: str) -> dict[str, str]:
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(Path.home()),
            "DISPLAY": display,
            "WINEPREFIX": str(self._folder / "prefix"),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            # No .NET, no HTML engine: Wine would offer to install them.
            "WINEDLLOVERRIDES": "mscoree=;mshtml=;winemenubuilder.exe=",
            "PYTHONPATH": windows_path(REPOSITORY),
            "PYTHONPYCACHEPREFIX": windows_path(self._folder / "pycache"),
            "PYTHONUTF8": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def _make_prefix(self) -> None:
        ready = self._folder / "prefix" / "ready"
        if ready.exists():
            return
        print("Windows Python: prepares Wine's drive C", file=sys.stderr, flush=True)  # noqa: T201  progress
        self._unix("wineboot", "--init").wait(180)
        ready.touch()

    @contextmanager
    def _desktop(self) -> Iterator[None]:
        """Keep Wine's desktop up, on which all programs of the session meet.

        Otherwise the first program with a window starts it, with its own output pipe: that
        would then seem never to end.
        """
        holder = self.start("-c", _HOLD_THE_DESKTOP)
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline().strip() == b"held"
            yield
        finally:
            end(holder)

    def _wine_server(self, option: str) -> None:
        self._unix("wineserver", option).wait(60)

    def _unix(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """End *process* at once, as kill -9 does; closing the pipe of its output."""
    process.kill()
    process.wait(10)
    if process.stdout:
        process.stdout.close()


@contextmanager
def _display() -> Iterator[str]:
    """An X server with no screen, on a free display number.

    Without one, windows of two processes do not find each other.
    """
    reader, writer = os.pipe()
    server = subprocess.Popen(
        [
            *("Xvfb", "-displayfd", str(writer), "-screen", "0", "640x480x16"),
            *("-nolisten", "tcp"),
        ],
        pass_fds=[writer],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as numbers:
            number = numbers.readline().strip()
        if not number:
            raise RuntimeError("Xvfb does not start")
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(scope="session")
def windows_python() -> Iterator[WindowsPython]:
    """The desktop that the tests of a session share."""
    with WindowsPython() as python:
        yield python
