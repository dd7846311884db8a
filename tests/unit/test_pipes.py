"""The engine's ends of its pipes; the thread that hears commands ends its process with it."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.sip.pipes import EX_SOFTWARE, ReportWriter
from gateway.sip.wire import Journalled, Stop, Unsent, encode

NO_BROADCAST = ("255.255.255.255", 9)
"""Sending there is refused with EACCES unless a socket has asked for it."""
LISTENER = f"""
import time
from gateway.sip.pipes import CommandReader

commands = CommandReader(0)
commands.wake({NO_BROADCAST})
commands.start()
while True:
    for command in commands.waiting():
        print(command, flush=True)
    time.sleep(0.01)
"""


@pytest.fixture
async def listener() -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LISTENER, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    yield process
    if process.returncode is None:
        process.kill()
    await process.communicate()


def tell(process: Process, line: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(line)


async def heard(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(5):
        return (await process.stdout.readline()).decode().strip()


async def ended(process: Process) -> tuple[int, str]:
    """The exit code, and what was written to standard error."""
    assert process.stderr is not None
    async with asyncio.timeout(5):
        return await process.wait(), (await process.stderr.read()).decode()


async def test_a_wake_up_that_cannot_be_sent_loses_no_command(listener: Process) -> None:
    tell(listener, encode(Stop(1.0)))
    first = await heard(listener)
    tell(listener, encode(Stop(2.0)))
    second = await heard(listener)

    assert [first, second] == [str(Stop(1.0)), str(Stop(2.0))]


async def test_the_process_ends_with_its_input(listener: Process) -> None:
    tell(listener, encode(Stop(1.0)))
    await heard(listener)

    assert listener.stdin is not None
    listener.stdin.close()

    assert await ended(listener) == (0, "")


async def test_a_thread_that_fails_ends_the_process_and_says_why(listener: Process) -> None:
    tell(listener, b"this is no frame\n")

    code, error = await ended(listener)

    assert code == EX_SOFTWARE
    assert "JSONDecodeError" in error


def test_reports_are_written_in_their_order(tmp_path: Path) -> None:
    with (tmp_path / "frames").open("wb") as file:
        report = ReportWriter(file.fileno())
        report(Unsent(1, "no route"), Journalled())

    assert (tmp_path / "frames").read_bytes() == (
        encode(Unsent(1, "no route")) + encode(Journalled())
    )
