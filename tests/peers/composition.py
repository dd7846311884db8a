"""What the compose files of docker/ put together, on ports of the tests' own."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.peers.gateway_process import ROOT
from tests.peers.kamailio import Kamailio

DOCKER = ROOT / "docker"


class Composition:
    """Its files with their addresses replaced; nothing else of them changes."""

    def __init__(self, folder: Path) -> None:
        """*folder* gets the secrets."""
        self.folder = folder
        subprocess.run(["sh", str(DOCKER / "secrets.sh"), str(folder)], check=True)

    def password(self, user: str) -> str:
        lines = (self.folder / "subscriber").read_text().splitlines()
        return next(line.split(":")[2] for line in lines if line.startswith(f"{user}:"))

    def add_users(self, users: Iterable[str], password: str) -> None:
        """As an administrator does: a line each."""
        with (self.folder / "subscriber").open("a") as file:
            file.writelines(f"{user}:office.example:{password}\n" for user in users)

    def registrar(self, port: int) -> str:
        """Of ``compose.yaml``: the gateway is an extension of it."""
        ours = (
            "#!define ADDRESS 127.0.0.1\n"
            f"#!define PORT {port}\n"
            f'#!define USERS "text://{self.folder}"\n'
        )
        return ours + (DOCKER / "kamailio.cfg").read_text()

    def dispatcher(self, port: int, gateways: Iterable[int]) -> str:
        """Of ``compose.nodes.yaml``: *gateways*, by their SIP ports, share an extension."""
        listed = self.folder / "dispatcher.list"
        listed.write_text("".join(f"1 sip:127.0.0.1:{gateway}\n" for gateway in gateways))
        return f'#!define GATEWAYS "{listed}"\n{self.registrar(port)}'

    def guarded(self) -> str:
        """PostgreSQL's password."""
        return (self.folder / "postgres").read_text()

    def gateway(self, kamailio: Kamailio, database: str) -> str:
        return self._configuration("gateway.toml", kamailio, database)

    def node(self, kamailio: Kamailio, database: str) -> str:
        """Of the gateways that share *database*; what comes behind it has a phone."""
        without_phone = '[phone]\ndriver = "none"\n'
        whole = self._configuration("gateway-nodes.toml", kamailio, database)
        assert whole.endswith(without_phone)
        return whole.removesuffix(without_phone)

    def _configuration(self, file: str, kamailio: Kamailio, database: str) -> str:
        text = (DOCKER / file).read_text()
        for there, here in (
            ("sip:kamailio:5060;lr", kamailio.proxy),
            ("postgresql+asyncpg://gateway@postgres/gateway", database),
            ("/run/secrets", str(self.folder)),
        ):
            assert there in text
            text = text.replace(there, here)
        return text
