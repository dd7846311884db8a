"""SIPp: sends many MESSAGE requests, or takes them."""

import asyncio
import csv
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.bench.ports import free_port, is_free
from gateway.bench.processes import until, written

_SOURCE = """\
<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="MESSAGE out">
  <send retrans="500">
    <![CDATA[

      MESSAGE sip:bot@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      Max-Forwards: 70
      From: <sip:load@[local_ip]:[local_port]>;tag=[call_number]
      To: <sip:bot@[remote_ip]:[remote_port]>
      Call-ID: [call_id]
      CSeq: 1 MESSAGE
      Content-Type: text/plain
      Content-Length: [len]

      message [call_number] of the benchmark

    ]]>
  </send>
  <recv response="200"/>
</scenario>
"""
_SINK = """\
<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="MESSAGE in">
  <recv request="MESSAGE"/>
  <send>
    <![CDATA[

      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:];tag=[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

    ]]>
  </send>
</scenario>
"""
_PATIENCE = 10
"""Seconds that SIPp goes on after it should have been done."""


@dataclass(frozen=True, slots=True)
class Flood:
    """What became of a trial."""

    wanted: int
    acknowledged: int
    retransmissions: int
    seconds: float


async def flood(folder: Path, port: int, rate: int, seconds: float) -> Flood:
    """MESSAGE requests to ``sip:bot@127.0.0.1:PORT`` over UDP, *rate* a second."""
    total = max(round(rate * seconds), 1)
    statistics = folder / "statistics.csv"
    scenario = written(folder / "source.xml", _SOURCE)
    loop = asyncio.get_running_loop()
    started = loop.time()
    process = await _start(
        folder,
        *(f"127.0.0.1:{port}", "-sf", str(scenario), "-m", str(total)),
        # Half a second's worth may wait: then SIPp would repeat the oldest.
        *("-r", str(rate), "-l", str(max(rate // 2, 10))),
        *("-timeout", f"{round(seconds) + _PATIENCE}s"),
        *("-trace_stat", "-stf", str(statistics), "-fd", "1"),
    )
    await _ended(process)
    took = loop.time() - started
    with statistics.open(newline="") as file:
        *_, last = csv.DictReader(file, delimiter=";")
    return Flood(total, int(last["SuccessfulCall(C)"]), int(last["Retransmissions(C)"]), took)


@asynccontextmanager
async def sink(folder: Path) -> AsyncIterator[int]:
    """Answers every MESSAGE with 200, at the port."""
    port = free_port()
    scenario = written(folder / "sink.xml", _SINK)
    process = await _start(folder, "-sf", str(scenario), "-p", str(port))

    async def listens() -> bool:
        return not is_free(port)

    try:
        await until(listens, 10, lambda: "SIPp does not listen")
        yield port
    finally:
        process.terminate()
        await _ended(process)


async def _start(folder: Path, *arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *("sipp", "-i", "127.0.0.1", "-nostdin", *arguments),
        cwd=folder,
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=DEVNULL,
    )


async def _ended(process: Process) -> None:
    """Its exit code tells of unanswered calls, which are counted."""
    try:
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
