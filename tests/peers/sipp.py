"""SIPp as the sender of many MESSAGE requests."""

import asyncio
import csv
import secrets
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from dataclasses import dataclass
from pathlib import Path

# Each Call-ID that got its 200 is logged: those are the messages that must not be lost.
_SCENARIO = """\
<?xml version="1.0" encoding="UTF-8" ?>
<scenario name="MESSAGE">
  <send retrans="500">
    <![CDATA[

      MESSAGE sip:{user}@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      Max-Forwards: 70
      From: <sip:load@[local_ip]:[local_port]>;tag={run}[call_number]
      To: <sip:{user}@[remote_ip]:[remote_port]>
      Call-ID: [call_id]
      CSeq: 1 MESSAGE
      Content-Type: text/plain
      Content-Length: [len]

      message [call_number] of run {run}

    ]]>
  </send>
  <recv response="200">
    <action><log message="[call_id]"/></action>
  </recv>
</scenario>
"""


@dataclass(frozen=True, slots=True)
class Load:
    """How many messages, how fast, and how many may wait for their 200 at a time."""

    total: int
    per_second: int
    in_flight: int
    patience: int = 60
    """Seconds after which SIPp gives up, whatever is unanswered."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a run."""

    run: str
    """Its Call-IDs end with ``-RUN@load``."""
    acknowledged: frozenset[str]
    """Call-IDs."""
    retransmissions: int
    seconds: float


class Sipp:
    """One run of SIPp against ``sip:USER@127.0.0.1:PORT``, over UDP."""

    def __init__(self, folder: Path, port: int, load: Load, *, user: str = "bot") -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._port = port
        self._load = load
        self._user = user

    async def run(self) -> Sent:
        run = secrets.token_hex(3)
        scenario = self._folder / "message.xml"
        scenario.write_text(_SCENARIO.format(user=self._user, run=run))
        started = asyncio.get_running_loop().time()
        process = await asyncio.create_subprocess_exec(
            *("sipp", f"127.0.0.1:{self._port}", "-sf", str(scenario), "-i", "127.0.0.1"),
            *("-m", str(self._load.total), "-r", str(self._load.per_second)),
            *("-l", str(self._load.in_flight), "-cid_str", f"%u-{run}@load"),
            *("-timeout", f"{self._load.patience}s", "-nostdin"),
            *("-trace_logs", "-log_file", str(self._folder / "acknowledged.log")),
            *("-trace_stat", "-stf", str(self._folder / "statistics.csv"), "-fd", "1"),
            cwd=self._folder,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
        )
        try:
            await process.communicate()  # its exit code tells of unanswered calls: expected
        finally:
            if process.returncode is None:
                process.kill()
        return Sent(
            run,
            frozenset((self._folder / "acknowledged.log").read_text().split()),
            self._retransmissions(),
            asyncio.get_running_loop().time() - started,
        )

    def _retransmissions(self) -> int:
        with (self._folder / "statistics.csv").open(newline="") as file:
            *_, last = csv.DictReader(file, delimiter=";")
        return int(last["Retransmissions(C)"])
