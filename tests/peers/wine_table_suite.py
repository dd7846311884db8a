"""The suite that Windows Python runs: every verb to every MicroSIP, beside what came of it.

Not collected by itself; ``test_wine_table.py`` runs it under Wine, then prints the table.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Protocol

import pytest

from gateway.config import Dde
from tests.peers.wine_steering import SteeredPeer

assert sys.platform == "win32"

from gateway.microsip.copydata import CopyDataChannel  # noqa: E402  the fence comes first
from gateway.microsip.window import UserDesktop  # noqa: E402
from tests.peers.wine_desktop import (  # noqa: E402
    UNHURRIED,
    Handset,
    handset,
    handset_on,
    make_store,
    start,
)
from tests.peers.wine_installation import install, started_from  # noqa: E402

pytestmark = pytest.mark.timeout(120)

Record = Callable[[str, object], None]

SERVICE = "Table"
ROUNDS = 6
ANSWERED, RINGING = "the far side answers", "555 calls"
SCRIPT = (
    *("status", "dial 1002", ANSWERED, "hold", "hold", "dtmf 12#", "mute", "mute"),
    *("volume 40", "volup 2", "voldown 1", "micvolume 75", "transfer 1003"),
    *(
        "callto 1004",
        "hangup",
        RINGING,
        "answer",
        "hangup",
        RINGING,
        "reject",
        "device input 3",
    ),
)
"""What is commanded, and what happens in between."""


class Way(Protocol):
    """To one MicroSIP."""

    name: str

    def handset(self, data_dir: Path) -> AbstractAsyncContextManager[Handset]: ...

    def begin(self) -> None:
        """Idle, as just started."""

    def answered(self) -> None: ...

    def ring(self) -> None: ...

    def sent(self, line: str) -> list[str]:
        """What it received for *line*."""

    def ended_by(self) -> str:
        """What it received last of all."""


class ByDde:
    name = "DDE"

    def __init__(self, microsip: SteeredPeer) -> None:
        self._microsip = microsip

    def handset(self, data_dir: Path) -> AbstractAsyncContextManager[Handset]:
        return handset(data_dir, Dde(service=SERVICE))

    def begin(self) -> None:
        self._microsip.order("reset")
        self._microsip.reports("execute")

    def answered(self) -> None:
        self._microsip.order("reset", state="active", number="1002")

    def ring(self) -> None:
        self._microsip.order("ring", number="555")

    def sent(self, line: str) -> list[str]:
        if line == "status":
            return [f"XTYP_REQUEST {it['item']}" for it in self._microsip.reports("request")]
        return [report["text"] for report in self._microsip.reports("execute")]

    def ended_by(self) -> str:
        return str(self._microsip.wait_for("execute")["text"])


class ByWindow:
    def __init__(self, microsip: SteeredPeer, version: str, executable: Path) -> None:
        self.name = version
        self._microsip = microsip
        self._executable = executable

    @asynccontextmanager
    async def handset(self, data_dir: Path) -> AsyncIterator[Handset]:
        async with (
            CopyDataChannel(
                desktop=UserDesktop(), executable=str(self._executable), sleep=asyncio.sleep
            ) as channel,
            handset_on(channel, UNHURRIED, data_dir) as made,
        ):
            yield made

    def begin(self) -> None:
        self._microsip.order("reset")
        self._microsip.reports("copydata")

    def answered(self) -> None:
        self._microsip.order("far_side_answers")

    def ring(self) -> None:
        self._microsip.order("ring", user="555")

    def sent(self, line: str) -> list[str]:
        texts = [report["text"] for report in self._microsip.reports("copydata")]
        return texts if line == "status" else [text for text in texts if text != "msip:"]

    def ended_by(self) -> str:
        self._microsip.wait_for("close")
        return "WM_CLOSE"


@contextmanager
def by_dde() -> Iterator[Way]:
    with SteeredPeer(start, "tests.peers.dde_microsip", "--service", SERVICE) as microsip:
        yield ByDde(microsip)


@contextmanager
def by_window(version: str, folder: Path) -> Iterator[Way]:
    executable = install(folder, version)
    options = ("tests.peers.wine_microsip_window", "--version", version)
    with SteeredPeer(started_from(executable), *options) as microsip:
        yield ByWindow(microsip, version, executable)


@pytest.fixture(params=["DDE", "3.20.5", "3.21.4", "3.22.3"])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    name: str = request.param
    opened = by_dde() if name == "DDE" else by_window(name, tmp_path / "MicroSIP")
    with opened as way:
        yield way


async def test_every_verb_has_an_outcome(
    way: Way, tmp_path: Path, record_property: Record
) -> None:
    await make_store(tmp_path)
    async with way.handset(tmp_path) as phone:
        for _ in range(ROUNDS):
            way.begin()
            for line in SCRIPT:
                if line == ANSWERED:
                    way.answered()
                elif line == RINGING:
                    way.ring()
                else:
                    await _does(line, phone, way, record_property)
        way.begin()
        closed = await phone.does("close")

    said = closed.evidence or closed.detail
    facts = ("close", way.ended_by(), closed.outcome, said, closed.elapsed_ms)
    record_property("row", json.dumps([way.name, *facts]))


async def _does(line: str, phone: Handset, way: Way, record: Record) -> None:
    result = await phone.does(line)

    runs = [(text, len(list(run))) for text, run in groupby(way.sent(line))]
    sent = ", ".join(f"{times} x {text}" if times > 1 else text for text, times in runs)
    said = result.evidence or result.detail
    record("row", json.dumps([way.name, line, sent, result.outcome, said, result.elapsed_ms]))
