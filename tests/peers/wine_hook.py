"""The hook program as a test has it: compiled for Windows, run under Wine."""

import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from gateway.microsip.hand_over import HandOver, read_hand_over
from gateway.microsip.hand_over_conf import HandOverConf, write_conf
from hatch_build import compile_hook
from tests.peers.wine import REPOSITORY, WindowsPython, windows_path
from tests.peers.wine_steering import SteeredPeer

HERE = Path(__file__).parent
SOURCES = sorted((REPOSITORY / "gateway" / "microsip" / "hook").glob("*.c"))
NAME = "sip-gateway-hook.exe"
MEASURING = "measure.exe"
EMPTY = "empty.exe"

HANDED_OVER, WRONG_USAGE, NO_CONF, BAD_CONF, NOT_CHAINED = 0, 2, 3, 4, 7
"""Its exit codes, as hook.h has them."""


class Hook:
    """The program in a folder of its own, with a receiver in the gateway's place."""

    def __init__(self, *, folder: Path, conf: HandOverConf, runner: SteeredPeer) -> None:
        self.folder = folder
        self.path = windows_path(folder / NAME)
        self.runner = runner
        self.conf = conf

    def run(self, arguments: str) -> int:
        """Its exit code; *arguments* exactly as they stand in the command line."""
        self.runner.order("run", command_line=f'"{self.path}" {arguments}')
        [ended] = self.runner.reports("ended")
        return int(ended["code"])

    def run_as_microsip(self, kind: str, user: str) -> None:
        """By the way of an ini's ``cmd...="PATH" KIND --``."""
        self.runner.order("run_as_microsip", value=f'"{self.path}" {kind} --', user=user)


class Receiver:
    """What comes in on a UDP port of loopback."""

    def __init__(self, udp: socket.socket) -> None:
        self._udp = udp
        self.port: int = udp.getsockname()[1]

    def datagram(self) -> bytes:
        return self._udp.recv(70000)

    def event(self, conf: HandOverConf) -> HandOver:
        """The next datagram, as the gateway reads it."""
        read = read_hand_over(self.datagram(), conf.key, datetime.now(UTC))
        assert isinstance(read, HandOver), read
        return read


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(30)
        yield Receiver(udp)


@pytest.fixture(scope="session")
def hook_programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hook program, the one that measures itself, an empty one; without a warning."""
    folder = tmp_path_factory.mktemp("programs")
    compile_hook(folder / NAME, *SOURCES, options=("-Werror",))
    compile_hook(folder / MEASURING, *SOURCES, options=("-Werror", "-DMEASURE"))
    compile_hook(folder / EMPTY, HERE / "empty_program.c", options=("-Werror",))
    return folder


@pytest.fixture(scope="session")
def program_runner(windows_python: WindowsPython) -> Iterator[SteeredPeer]:
    # Wine shows no file whose name its locale cannot write.
    start = partial(windows_python.start, environment={"LC_ALL": "C.UTF-8"})
    with SteeredPeer(start, "tests.peers.wine_program_runner") as runner:
        yield runner


@pytest.fixture
def hook(
    hook_programs: Path, tmp_path: Path, receiver: Receiver, program_runner: SteeredPeer
) -> Hook:
    """In a folder whose name could be taken for the end of the options."""
    folder = tmp_path / "a folder -- end"
    conf = write_conf(folder, receiver.port)
    shutil.copy(hook_programs / NAME, folder)
    return Hook(folder=folder, conf=conf, runner=program_runner)
