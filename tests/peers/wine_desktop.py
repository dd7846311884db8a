"""What the suites on Windows Python share: peers on the desktop, the gateway's own side."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry

from gateway.caller import Caller, Origin
from gateway.clock import now
from gateway.config import DatabaseSettings, Dde, Phone
from gateway.metrics import Metrics
from gateway.microsip.api_log import ApiLog
from gateway.microsip.control import MicroSip
from gateway.microsip.reading import Reading
from gateway.microsip.status_words import StatusWords
from gateway.numbers import NumberRules
from gateway.phone import CommandResult, PhoneRequest, Verb, parse_command
from gateway.ports import Channel
from gateway.store.audit import SqlCommandLog
from gateway.store.database import Database

assert sys.platform == "win32"

from gateway.microsip.dde import DdeChannel  # noqa: E402  the fence comes first

TESTER = Caller(who="sip:101@office.example", proof="test", origin=Origin.CLI)


def start(*arguments: str) -> subprocess.Popen[bytes]:
    """Another Windows Python on this desktop."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


@dataclass(frozen=True)
class Handset:
    """MicroSip as the gateway has it, used by one tester."""

    control: MicroSip

    async def does(self, line: str) -> CommandResult:
        """The result of a line such as ``dial 1002``."""
        word, *arguments = line.split()
        verb = Verb.named(word)
        assert verb is not None
        command = parse_command(verb, tuple(arguments))
        return await self.control.execute(
            PhoneRequest(command=command, caller=TESTER, text=line)
        )


async def make_store(data_dir: Path) -> None:
    async with Database(settings=DatabaseSettings(), data_dir=data_dir) as database:
        await database.upgrade()


UNHURRIED = Phone(command_spacing=timedelta(0), calls_per_hour=1000, sender_calls_per_hour=1000)
"""No command waits for another, or is one too many."""


@asynccontextmanager
async def handset_on(
    channel: Channel, phone: Phone, data_dir: Path, *, api_log: Path | None = None
) -> AsyncIterator[Handset]:
    """The gateway's side, with its real store in *data_dir*."""
    words = StatusWords(phone.dde.status_words)
    async with Database(settings=DatabaseSettings(), data_dir=data_dir) as database:
        yield Handset(
            MicroSip(
                reading=Reading(channel=channel, words=words, clock=now),
                command_log=SqlCommandLog(
                    database=database, metrics=Metrics(CollectorRegistry())
                ),
                rules=NumberRules(),
                phone=phone,
                api_log=ApiLog(api_log or data_dir),
                clock=now,
                sleep=asyncio.sleep,
            )
        )


@asynccontextmanager
async def handset(
    data_dir: Path, dde: Dde, *, api_log: Path | None = None
) -> AsyncIterator[Handset]:
    """By DDE."""
    phone = UNHURRIED.model_copy(update={"dde": dde})
    async with (
        DdeChannel(dde) as channel,
        handset_on(channel, phone, data_dir, api_log=api_log) as made,
    ):
        yield made


@asynccontextmanager
async def loop_kept_running(longest_pause: float) -> AsyncIterator[None]:
    """The event loop gets its turn at least so often, or the test fails."""
    pauses: list[float] = []

    async def tick() -> None:
        while True:
            started = time.monotonic()
            await asyncio.sleep(0.01)
            pauses.append(time.monotonic() - started)

    ticking = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticking.cancel()
    assert max(pauses) < longest_pause


async def until(
    probe: Callable[[], Awaitable[CommandResult]],
    wanted: Callable[[CommandResult], bool],
    seconds: float,
) -> CommandResult:
    """What *probe* returns once it is *wanted*: another process tells us nothing."""
    deadline = time.monotonic() + seconds
    while not wanted(result := await probe()):
        assert time.monotonic() < deadline, result
        await asyncio.sleep(0.1)
    return result
