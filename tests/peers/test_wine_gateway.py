"""The whole gateway on Windows: SIP in, DDE out, the answer back, both in the history."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.web.client import RequestRefused
from tests.peers.gateway_process import eventually
from tests.peers.sip_ua import SipUserAgent
from tests.peers.wine import WindowsPython
from tests.peers.wine_gateway import TESTER, WindowsGateway
from tests.peers.wine_steering import SteeredPeer

pytestmark = [pytest.mark.peer("wine"), pytest.mark.timeout(300)]  # a first run builds Python

INTERRUPTED = "WAIT dial 1002 (interrupted; check the phone)"
NO_MICROSIP = "MicroSIP is not running"


@pytest.fixture
def microsip(windows_python: WindowsPython) -> Iterator[SteeredPeer]:
    with SteeredPeer(windows_python.start, "tests.peers.dde_microsip") as peer:
        yield peer


@pytest.fixture
async def gateway(
    windows_python: WindowsPython, tmp_path: Path
) -> AsyncIterator[WindowsGateway]:
    # Longer than a restart takes: a command that hangs is interrupted, not timed out.
    async with WindowsGateway(windows_python, tmp_path, dde_timeout="60s") as gateway:
        yield gateway


@pytest.fixture
async def tester(gateway: WindowsGateway) -> AsyncIterator[SipUserAgent]:
    async with SipUserAgent(TESTER, gateway.sip_port) as user_agent:
        yield user_agent


async def test_a_message_dials_and_is_answered_and_kept(
    gateway: WindowsGateway, microsip: SteeredPeer, tester: SipUserAgent
) -> None:
    reply = await tester.ask(gateway.bot, "dial 1002")

    async def settled() -> list[tuple[str, str, str]]:
        kept = [(m["direction"], m["text"], m["status"]) for m in await gateway.history()]
        return kept if ("outbound", reply, "delivered") in kept else []

    history = await eventually(settled)
    listed = await gateway.command("history", "--json")
    lines = [json.loads(line) for line in listed.stdout.splitlines()]
    received = [report["text"] for report in microsip.reports("execute")]

    assert reply.startswith("OK dial 1002"), gateway.log()
    assert received == ["Dial 1002"]
    assert history == [
        ("outbound", reply, "delivered"),
        ("inbound", "dial 1002", "received"),
    ]
    assert listed.returncode == 0, listed.stdout
    assert [line["text"] for line in lines] == [reply, "dial 1002"]


async def test_without_microsip_chat_rest_and_command_line_say_so(
    gateway: WindowsGateway, tester: SipUserAgent
) -> None:
    reply = await tester.ask(gateway.bot, "dial 1002")
    async with gateway.client() as client:
        with pytest.raises(RequestRefused) as refused:
            await client.phone("dial", "1002")
    typed = await gateway.command("phone", "dial", "1002")

    assert reply.startswith(f"ERR dial 1002 ({NO_MICROSIP}")
    assert (refused.value.status, refused.value.code) == (503, "phone_not_running")
    assert typed.returncode == 1
    assert typed.stdout.startswith(f"ERR dial 1002 ({NO_MICROSIP}")


async def test_a_command_that_kill_9_interrupted_is_not_repeated(
    gateway: WindowsGateway, microsip: SteeredPeer, tester: SipUserAgent
) -> None:
    microsip.order("hang")
    accepted = await tester.send(gateway.bot, "dial 1002")
    hanging = microsip.wait_for("execute")

    gateway.kill()
    microsip.order("release")
    await gateway.start()
    told = await tester.next_message(30)
    still_answers = await tester.ask(gateway.bot, "ping")

    assert accepted == 200
    assert hanging["text"] == "Dial 1002"
    assert told.text.startswith(INTERRUPTED), gateway.log()
    assert microsip.reports("execute") == []
    assert still_answers.startswith("OK ping")
    assert [m["text"] for m in await gateway.history() if m["text"] == "dial 1002"] == [
        "dial 1002"
    ]
