"""The whole gateway as a process of Windows Python."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

from gateway.bench.ports import free_port
from gateway.web.client import GatewayClient
from gateway.web.local import read_local_access
from tests.peers.kamailio import DOMAIN
from tests.peers.wine import WindowsPython, end, windows_path

TESTER = "101"
"""Who may command: a user agent on loopback, which a local account trusts."""

_CONFIGURATION = """
data_dir = '{data_dir}'
[sip]
bind = "127.0.0.1"
udp_port = {sip_port}
tcp_port = {sip_port}
[[sip.accounts]]
name = "bot"
uri = "sip:bot@localhost"
[http]
port = {http_port}
[[chat.rules]]
who = ["sip:{tester}@{domain}"]
allow = ["phone:read", "phone:control", "history:own", "send"]
[phone]
driver = "{driver}"
executable = '{executable}'
[phone.dde]
timeout = "{dde_timeout}"
"""


class WindowsGateway:
    """``python.exe -m gateway run``, entered when it says that it is ready."""

    def __init__(
        self,
        python: WindowsPython,
        folder: Path,
        *,
        driver: str = "dde",
        dde_timeout: str = "5s",
        executable: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """*environment* is what its programs have more; MicroSIP too, when it starts that."""
        self.data_dir = folder / "data"
        self.sip_port = free_port()
        self.bot = f"sip:bot@127.0.0.1:{self.sip_port}"
        self._python = python
        self._environment = environment
        self._configuration = folder / "gateway.toml"
        self._configuration.write_text(
            _CONFIGURATION.format(
                data_dir=windows_path(self.data_dir),
                sip_port=self.sip_port,
                http_port=free_port(),
                tester=TESTER,
                domain=DOMAIN,
                driver=driver,
                executable=windows_path(executable) if executable else "",
                dde_timeout=dde_timeout,
            )
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: Thread | None = None
        self._ready = Event()
        self._output: list[str] = []

    def configure(self, section: str) -> None:
        """Add *section*, before it is started."""
        with self._configuration.open("a") as configuration:
            configuration.write(section)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        self.kill()

    async def start(self) -> None:
        self._ready.clear()
        self._process = self._python.start(
            *("-m", "gateway", "run", *self._options), environment=self._environment
        )
        self._reader = Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        await asyncio.to_thread(self._ready.wait, 60)
        assert self._process.poll() is None, self.log()

    def kill(self) -> None:
        """Kill -9: nothing of it gets a chance to say good-bye."""
        assert self._process is not None
        assert self._reader is not None
        self._process.kill()
        self._reader.join(20)
        assert not self._reader.is_alive(), f"a child of it outlives it:\n{self.log()}"
        end(self._process)

    def log(self) -> str:
        return "".join(self._output)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[GatewayClient]:
        access = read_local_access(self.data_dir)
        assert access is not None, self.log()
        async with GatewayClient(access) as client:
            yield client

    async def history(self) -> list[dict[str, Any]]:
        async with self.client() as client:
            page = await client.history("", limit=200)
        items: list[dict[str, Any]] = page["items"]
        return items

    async def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``sip-gateway`` with *arguments*, on Windows too."""
        return await asyncio.to_thread(
            self._python.run,
            *("-m", "gateway", *arguments, *self._options),
            environment=self._environment,
        )

    @property
    def _options(self) -> tuple[str, ...]:
        return ("--config", windows_path(self._configuration))

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._output.append(line.decode(errors="replace"))
            if line.startswith(b"ready"):
                self._ready.set()
        self._ready.set()
