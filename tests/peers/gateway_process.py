"""The real gateway as a process of its own, to be used, stopped and killed."""

import asyncio
import os
import re
import sqlite3
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from aiohttp import ClientSession

from gateway.bench.ports import free_port
from gateway.web.client import GatewayClient
from gateway.web.local import read_local_access
from tests.peers.kamailio import DOMAIN, PASSWORD, Kamailio

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")
_REGISTERED = re.compile(r"^sip_gateway_registered\{.*\} 1\.0$", re.MULTILINE)
_SIGKILL = 9  # by number: the types are checked for Windows too
_TICKS_PER_SECOND = 100  # USER_HZ of every Linux

LOCAL_ACCOUNT = """
[[sip.accounts]]
name = "bot"
uri = "sip:bot@localhost"
"""
SIMULATED_PHONE = """
[phone]
driver = "simulated"
command_spacing = "10ms"
"""
EVERYBODY_MAY = """
[[chat.rules]]
who = ["sip:*"]
allow = ["phone:read", "phone:control", "history:own", "send"]
"""


def account(
    user: str, registrar: Kamailio, *, mode: str = "bot", transport: str = "udp"
) -> str:
    """The configuration of an account that registers there."""
    return f"""
[[sip.accounts]]
name = "{user}"
uri = "sip:{user}@{DOMAIN}"
registrar = "sip:{DOMAIN}"
proxy = "{registrar.proxy};transport={transport}"
username = "{user}"
password = "{PASSWORD}"
mode = "{mode}"
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """A gateway that came to an end by itself."""

    exit_code: int
    output: str


class GatewayProcess:
    """``python -m gateway run`` on a folder of its own, entered when it says it is ready."""

    def __init__(self, folder: Path, *sections: str, sip: str = "") -> None:
        """*sip* is what its own section of that name has more."""
        folder.mkdir(exist_ok=True)
        self.data_dir = folder / "data"
        self.sip_port = free_port()
        self.http_port = free_port()
        self.configuration = folder / "gateway.toml"
        own = (
            f'data_dir = "{self.data_dir}"',
            '[sip]\nbind = "127.0.0.1"',
            f"udp_port = {self.sip_port}\ntcp_port = {self.sip_port}\n{sip}",
            f"[http]\nport = {self.http_port}",
        )
        self.configuration.write_text("\n".join(own + (sections or (LOCAL_ACCOUNT,))))
        self._log = folder / "log"
        self._process: Process | None = None
        self._output: list[str] = []
        self._reader: asyncio.Task[None] | None = None

    @property
    def bot(self) -> str:
        """What one writes to without a registrar."""
        return f"sip:bot@127.0.0.1:{self.sip_port}"

    # --- lifetime ---------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is not None:
            await self.stop()

    async def start(self) -> None:
        """Returns when its ready line is printed."""
        ready = asyncio.Event()
        self._process = await self._spawn()
        self._reader = asyncio.create_task(self._read(self._process, ready))
        waiting = asyncio.create_task(ready.wait())
        async with asyncio.timeout(30):
            await asyncio.wait((waiting, self._reader), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert ready.is_set(), f"the gateway did not start:\n{self.log()}"

    async def run_to_end(self, *arguments: str) -> Ended:
        """For a gateway that is expected not to start."""
        process = await self._spawn(*arguments)
        async with asyncio.timeout(30):
            printed, _ = await process.communicate()
        assert process.returncode is not None
        return Ended(process.returncode, printed.decode() + self.log())

    async def stop(self) -> int:
        """SIGTERM, as a service manager stops it; the exit code."""
        self._running.terminate()
        return await self._ended()

    async def kill(self) -> None:
        """Kill -9: nothing of it gets a chance to say good-bye."""
        self._running.kill()
        await self._ended()

    def kill_engine(self) -> None:
        os.kill(self.engine_pid, _SIGKILL)

    @property
    def pid(self) -> int:
        return self._running.pid

    @property
    def engine_pid(self) -> int:
        """The child process that holds PJSIP."""
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                if b"gateway.sip" in Path(f"/proc/{child}/cmdline").read_bytes():
                    return int(child)
        raise ProcessLookupError("the gateway has no SIP engine")

    def log(self) -> str:
        return "".join(self._output) + self._log.read_text()

    # --- use --------------------------------------------------------------------------

    @asynccontextmanager
    async def client(self) -> AsyncIterator[GatewayClient]:
        access = read_local_access(self.data_dir)
        assert access is not None, self.log()
        async with GatewayClient(access) as client:
            yield client

    async def history(self, query: str = "") -> list[dict[str, Any]]:
        """All messages that match, newest first."""
        items: list[dict[str, Any]] = []
        cursor = ""
        async with self.client() as client:
            while True:
                page = await client.history(query, limit=200, cursor=cursor)
                items += page["items"]
                cursor = page["next_cursor"] or ""
                if not cursor:
                    return items

    def stored(self) -> Counter[str]:
        """How often each inbound Call-ID is in the SQLite store."""
        store = f"file:{self.data_dir / 'gateway.db'}?mode=ro"
        with closing(sqlite3.connect(store, uri=True)) as connection:
            rows = connection.execute("SELECT call_id FROM message WHERE direction = 'inbound'")
            return Counter(call_id for (call_id,) in rows)

    async def message(self, message_id: str) -> dict[str, Any]:
        async with self.client() as client:
            return await client.message(message_id)

    async def send(self, to: str, text: str, *, wait: int = 0) -> dict[str, Any]:
        async with self.client() as client:
            return await client.send(to, text, wait=wait)

    async def registered(self, *, accounts: int = 1) -> None:
        """Returns when so many accounts are registered."""

        async def all_there() -> bool:
            return len(_REGISTERED.findall(await self.metrics())) >= accounts

        await eventually(all_there)

    async def metrics(self) -> str:
        url = f"http://127.0.0.1:{self.http_port}/metrics"
        async with ClientSession() as session, session.get(url) as response:
            return await response.text()

    async def readiness(self) -> tuple[int, dict[str, dict[str, Any]]]:
        """The status of ``/readyz``, and its parts by name."""
        url = f"http://127.0.0.1:{self.http_port}/readyz"
        async with ClientSession() as session, session.get(url) as response:
            document = await response.json()
        return response.status, {part["part"]: part for part in document["parts"]}

    # --- the process ------------------------------------------------------------------

    @property
    def _running(self) -> Process:
        assert self._process is not None, "the gateway is not running"
        return self._process

    async def _spawn(self, *arguments: str) -> Process:
        options = arguments or ("--config", str(self.configuration))
        with self._log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway", "run", *options),
                cwd=ROOT,
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=log,
            )

    async def _read(self, process: Process, ready: asyncio.Event) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self._output.append(line.decode())
            if self._output[-1].startswith("ready"):
                ready.set()

    async def _ended(self) -> int:
        assert self._reader is not None
        async with asyncio.timeout(30):
            code = await self._running.wait()
            await self._reader
        self._process = None
        return code


def cpu_seconds(pid: int) -> float:
    """What the process has used so far (proc(5), fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


async def eventually(
    probe: Callable[[], Awaitable[T]], seconds: float = 20, *, every: float = 0.1
) -> T:
    """What *probe* returns once that is true; another process has no event to wait for."""
    deadline = time.monotonic() + seconds
    while not (result := await probe()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {result!r}"
        await asyncio.sleep(every)
    return result
