"""The network is cut and joined again: what waited goes out, in order."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.gateway_process import (
    EVERYBODY_MAY,
    GatewayProcess,
    account,
    eventually,
)
from tests.peers.kamailio import Kamailio, stock_configuration
from tests.peers.netns import HERE, THERE, Cable
from tests.peers.sip_ua import SipUserAgent

pytestmark = [pytest.mark.timeout(240), pytest.mark.peer("netns", "kamailio")]

UNREGISTERED = re.compile(r"^sip_gateway_registered\{.*\} 0\.0$", re.MULTILINE)
TEXTS = [f"{number}. while it was cut" for number in range(5)]


def on_both_ends(port: int) -> str:
    """A registrar that its users reach by loopback, the gateway by the cable."""
    return f"mhomed=1\nlisten=udp:{THERE}:{port}\n{stock_configuration(port)}"


@pytest.fixture
def cable() -> Iterator[Cable]:
    with Cable() as opened:
        yield opened


@pytest.fixture
def registrar(cable: Cable) -> Iterator[Kamailio]:
    server = Kamailio(on_both_ends)
    with cable.there():
        server.__enter__()
    yield server
    with cable.there():
        server.__exit__()


def extension(registrar: Kamailio) -> str:
    there = account("bot", registrar).replace(
        f"127.0.0.1:{registrar.port}", f"{THERE}:{registrar.port}"
    )
    return there + "expires = 10\n"


async def test_a_cut_network_delays_messages_and_keeps_their_order(
    tmp_path: Path,
    cable: Cable,
    registrar: Kamailio,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GATEWAY_SIP__BIND", HERE)
    anna = SipUserAgent("101", registrar.port)
    with cable.there():
        await anna.open()
    async with GatewayProcess(tmp_path, extension(registrar), EVERYBODY_MAY) as gateway:
        await gateway.registered()
        await anna.register(expires=600)
        await anna.ask("bot", "ping")

        async def answer_is_settled() -> bool:
            return bool(await gateway.history("is:delivered ping"))

        await eventually(answer_is_settled)
        cable.cut()
        for text in TEXTS:
            await gateway.send("101", text)

        async def unregistered() -> bool:
            return bool(UNREGISTERED.search(await gateway.metrics()))

        await eventually(unregistered, 90)
        assert anna.received.empty()
        cable.join()
        joined = asyncio.get_running_loop().time()
        first = await anna.next_message(60)
        took = asyncio.get_running_loop().time() - joined
        others = [await anna.next_message(60) for _ in TEXTS[1:]]

        with capsys.disabled():
            print(f"\nnetwork joined: the first message after {took:.1f} s")  # noqa: T201
        assert [one.text for one in (first, *others)] == TEXTS
        assert await gateway.history("is:failed") == []
    anna.close()
