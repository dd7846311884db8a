"""The gateway as an extension of a real registrar, over TLS."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.bench.ports import free_port
from gateway.web.local import read_local_access
from tests.certificates import Authority
from tests.peers.gateway_process import (
    EVERYBODY_MAY,
    LOCAL_ACCOUNT,
    SIMULATED_PHONE,
    GatewayProcess,
    eventually,
)
from tests.peers.kamailio import DOMAIN, PASSWORD, Kamailio, stock_configuration
from tests.peers.sip_ua import SipUserAgent

pytestmark = [pytest.mark.timeout(180), pytest.mark.peer("kamailio_tls", "openssl")]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@dataclass(frozen=True, slots=True)
class SecureRegistrar:
    """Kamailio with a port for TLS beside the others."""

    kamailio: Kamailio
    tls_port: int

    @property
    def as_proxy(self) -> str:
        """For an account whose registrar's name leads nowhere."""
        proxy = f"sip:127.0.0.1:{self.tls_port};transport=tls;lr"
        return f'registrar = "sip:{DOMAIN}"\nproxy = "{proxy}"'

    @property
    def as_sips(self) -> str:
        return f'registrar = "sips:127.0.0.1:{self.tls_port}"'


@pytest.fixture
def registrar(authority: Authority) -> Iterator[SecureRegistrar]:
    """It takes TLS 1.2 or better, from clients that *authority* has signed."""
    tls_port = free_port()
    files = authority.issue("127.0.0.1")
    listen = f"enable_tls=yes\nlisten=tls:127.0.0.1:{tls_port}\n"
    module = f"""loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "{files.certificate}")
modparam("tls", "private_key", "{files.private_key}")
modparam("tls", "ca_list", "{authority.certificate}")
modparam("tls", "verify_certificate", 1)
modparam("tls", "require_certificate", 1)
"""

    def configure(port: int) -> str:
        before, mpath, modules = stock_configuration(port).partition("mpath=")
        path, _, rest = modules.partition("\n")
        return f"{before}{listen}{mpath}{path}\n{module}{rest}"

    with Kamailio(configure) as kamailio:
        yield SecureRegistrar(kamailio, tls_port)


def office(folder: Path, server: str, *, trusted: Authority, own: Authority) -> GatewayProcess:
    """A gateway that is the extension ``bot``."""
    files = own.issue("bot.office.example")
    tls = f"""
tls_port = 0
tls_ca = "{trusted.certificate}"
tls_certificate = "{files.certificate}"
tls_private_key = "{files.private_key}"
"""
    account = f"""
[[sip.accounts]]
name = "bot"
uri = "sip:bot@{DOMAIN}"
{server}
username = "bot"
password = "{PASSWORD}"
"""
    return GatewayProcess(folder, account, SIMULATED_PHONE, EVERYBODY_MAY, sip=tls)


@pytest.mark.parametrize("form", ["as_proxy", "as_sips"])
async def test_messages_go_both_ways_over_tls(
    tmp_path: Path, registrar: SecureRegistrar, authority: Authority, form: str
) -> None:
    server: str = getattr(registrar, form)
    async with (
        office(tmp_path, server, trusted=authority, own=authority) as gateway,
        SipUserAgent("101", registrar.kamailio.port) as anna,
    ):
        await gateway.registered()
        await anna.register()

        answer = await anna.ask("bot", "dial 1002")
        sent = await gateway.send(f"sip:101@{DOMAIN}", "from the bot", wait=15)

        assert answer.startswith("OK dial 1002"), gateway.log()
        assert sent["status"] == "delivered"
        assert (await anna.next_message()).text == "from the bot"
        assert [source.partition(":")[0] for source in sources(gateway)] == ["tls"]


def sources(gateway: GatewayProcess) -> list[str]:
    """Where what came in came from, as the store has it."""
    with closing(sqlite3.connect(gateway.data_dir / "gateway.db")) as store:
        rows = store.execute("SELECT source FROM message WHERE direction = 'inbound'")
        return [source for (source,) in rows]


async def test_a_registrar_that_was_restarted_is_found_again_over_tls(
    tmp_path: Path, registrar: SecureRegistrar, authority: Authority
) -> None:
    async with (
        office(tmp_path, registrar.as_proxy, trusted=authority, own=authority) as gateway,
        SipUserAgent("101", registrar.kamailio.port) as anna,
    ):
        await gateway.registered()

        registrar.kamailio.restart()
        await anna.register()

        async def reaches_the_bot() -> bool:
            return await anna.send("bot", "ping") == 200

        await eventually(reaches_the_bot, 60)
        assert (await anna.next_message()).text.startswith("OK ping")


async def test_a_registrar_of_another_authority_is_not_registered_with(
    tmp_path: Path, registrar: SecureRegistrar, authority: Authority
) -> None:
    other = Authority(tmp_path / "other")
    async with office(tmp_path, registrar.as_proxy, trusted=other, own=authority) as gateway:

        async def told() -> str:
            log = gateway.log()
            return log if "is not accepted" in log else ""

        log = await eventually(told)
        async with gateway.client() as client:
            ready = await client.get("/readyz")

    assert "[sip] tls_ca" in log
    assert "certificate verification" in str(ready)
    assert PASSWORD not in log


async def test_commands_reach_the_gateway_over_https(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = authority.issue("gateway.office.example")
    monkeypatch.setenv("GATEWAY_HTTP__TLS_CERTIFICATE", str(files.certificate))
    monkeypatch.setenv("GATEWAY_HTTP__TLS_PRIVATE_KEY", str(files.private_key))

    async with GatewayProcess(tmp_path, LOCAL_ACCOUNT) as gateway:
        access = read_local_access(gateway.data_dir)
        history = await gateway.history()

        assert access is not None
        assert access.url.startswith("https://")
        assert access.url in gateway.log()
        assert history == []
