"""Registrar or peers away: what waits goes out when they are back, in order."""

import asyncio
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.peers.gateway_process import (
    EVERYBODY_MAY,
    GatewayProcess,
    account,
    eventually,
)
from tests.peers.kamailio import Kamailio
from tests.peers.sip_ua import SipUserAgent

pytestmark = [pytest.mark.timeout(180)]

TEXTS = [f"{number}. while away" for number in range(5)]
SHORT_LIFE = '[delivery]\nmessage_ttl = "4s"\n'
PEERS = 100


def office(folder: Path, kamailio: Kamailio, *sections: str) -> GatewayProcess:
    bot = account("bot", kamailio) + "expires = 10\n"
    return GatewayProcess(folder, bot, EVERYBODY_MAY, *sections)


async def settled(gateway: GatewayProcess, query: str, count: int = 1) -> None:
    """Returns when so many messages match."""

    async def there() -> bool:
        return len(await gateway.history(query)) >= count

    await eventually(there, 60)


async def texts_of(peer: SipUserAgent, count: int) -> list[str]:
    return [(await peer.next_message(60)).text for _ in range(count)]


@pytest.mark.peer("kamailio")
async def test_a_registrar_that_is_back_brings_all_messages_in_order(
    tmp_path: Path, kamailio: Kamailio, capsys: pytest.CaptureFixture[str]
) -> None:
    async with (
        office(tmp_path, kamailio) as gateway,
        SipUserAgent("101", kamailio.port) as anna,
    ):
        await gateway.registered()
        await anna.register()
        await anna.ask("bot", "ping")
        await settled(gateway, "is:delivered ping")
        kamailio.stop()
        for text in TEXTS:
            await gateway.send("101", text)
        await settled(gateway, "is:retrying away")

        kamailio.start()
        await anna.register()
        back = asyncio.get_running_loop().time()
        received = await texts_of(anna, len(TEXTS))
        took = asyncio.get_running_loop().time() - back

        with capsys.disabled():
            print(f"\nregistrar back: all messages after {took:.1f} s")  # noqa: T201
        assert received == TEXTS
        await settled(gateway, "is:delivered away", len(TEXTS))


@pytest.mark.peer("kamailio")
async def test_a_peer_that_writes_gets_what_waited_in_order(
    tmp_path: Path, kamailio: Kamailio
) -> None:
    async with (
        office(tmp_path, kamailio) as gateway,
        SipUserAgent("101", kamailio.port) as anna,
    ):
        await gateway.registered()
        await anna.register()
        await anna.ask("bot", "ping")
        await settled(gateway, "is:delivered ping")
        await anna.leave()
        sent = [await gateway.send("101", text) for text in TEXTS]

        async def tried_three_times() -> bool:
            return int((await gateway.message(sent[0]["id"]))["attempts"]) >= 3

        await eventually(tried_three_times, 60)  # the next step would be 30 s later
        await anna.come_back()
        assert await anna.send("bot", "ping") == 200

        received = await texts_of(anna, len(TEXTS) + 1)
        assert [text for text in received if text in TEXTS] == TEXTS
        assert int((await gateway.message(sent[0]["id"]))["attempts"]) == 4


@pytest.mark.peer("kamailio")
async def test_a_message_that_expires_is_told_to_its_sender_once(
    tmp_path: Path, kamailio: Kamailio
) -> None:
    async with (
        office(tmp_path, kamailio, SHORT_LIFE) as gateway,
        SipUserAgent("101", kamailio.port) as anna,
        SipUserAgent("102", kamailio.port) as bert,
    ):
        await gateway.registered()
        await anna.register()
        await bert.register()
        await bert.ask("bot", "ping")
        await settled(gateway, "is:delivered ping")
        await bert.leave()

        answer = await anna.ask("bot", "send 102 lunch at noon")
        told = await anna.next_message(60)

        assert answer.startswith("OK send 102 (queued)")
        assert "102" in told.text
        [message] = await gateway.history("is:expired")
        assert message["text"] == "101: lunch at noon"
        assert await anna.silence(5)


async def test_one_silent_peer_among_a_hundred_delays_nobody_else(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(GatewayProcess(tmp_path))
        silent = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        silent.bind(("127.0.0.1", 0))
        others = [
            await stack.enter_async_context(SipUserAgent(f"p{n}", gateway.sip_port))
            for n in range(PEERS - 1)
        ]
        client = await stack.enter_async_context(gateway.client())
        addresses = [f"127.0.0.1:{silent.getsockname()[1]}", *(o.host_port for o in others)]

        async def send_all(text: str) -> None:
            await asyncio.gather(
                *(client.send(f"sip:peer@{address}", text) for address in addresses)
            )

        for text in TEXTS:
            await send_all(text)

        for other in others:
            assert await texts_of(other, len(TEXTS)) == TEXTS
        await settled(gateway, "is:delivered away", len(TEXTS) * len(others))
        assert len(await gateway.history("is:delivered away")) == len(TEXTS) * len(others)
