"""Processes of this machine: run to their end, or watched."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gateway.errors import GatewayError

T = TypeVar("T")
_PROBED = 0.02
"""Seconds between two looks at another process, which has no event to wait for."""


class BenchError(GatewayError):
    """What is measured did not work."""


def written(file: Path, content: str) -> Path:
    """The *file* that a process is given, in a folder that need not be there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return file


async def run(*command: str) -> str:
    """What it prints; raises BenchError with that when it fails."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
    )
    printed, _ = await process.communicate()
    if process.returncode:
        raise BenchError(f"{command[0]} failed: {printed.decode(errors='replace')[-500:]}")
    return printed.decode()


async def until(
    probe: Callable[[], Awaitable[T]], seconds: float, what: Callable[[], str]
) -> T:
    """What *probe* returns once that is true; BenchError with *what* after *seconds*."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not (result := await probe()):
        if loop.time() > deadline:
            raise BenchError(f"not within {seconds:.0f} s: {what()}")
        await asyncio.sleep(_PROBED)
    return result


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used so far."""

    cpu_seconds: float
    resident_bytes: int


def can_watch() -> bool:
    """Whether the system tells what a process uses."""
    return sys.platform == "linux"


def usage(pid: int) -> Usage:
    """Proc(5): fields 14 and 15 of stat, field 2 of statm."""
    if sys.platform == "linux":
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return Usage(
            (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
            pages * os.sysconf("SC_PAGE_SIZE"),
        )
    raise BenchError("what a process uses is told by Linux alone; leave the row idle out")


def children(pid: int) -> tuple[int, ...]:
    """Its child processes."""
    return tuple(
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    )
