"""Calls through the whole gateway on Windows: MicroSIP, its hooks, chat, REST, webhooks."""

import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.microsip.event_hooks import HOOK_PROGRAM
from gateway.microsip.hand_over_conf import hook_folder
from tests.peers.gateway_process import eventually
from tests.peers.sip_ua import SipUserAgent
from tests.peers.wine import WindowsPython
from tests.peers.wine_gateway import TESTER, WindowsGateway
from tests.peers.wine_hook import NAME
from tests.peers.wine_office import InstalledMicroSip
from tests.peers.wine_steering import SteeredLine
from tests.webhook_receiver import SECRET, Posted, WebhookReceiver

pytestmark = [
    pytest.mark.peer("wine"),
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

_TOLD = """
[calls]
notify = ["sip:{tester}@{host_port}"]
[[webhooks.endpoints]]
url = "{url}"
secret = "{secret}"
events = ["call.*"]
private_networks = true
"""


@dataclass
class Office:
    """A PC with MicroSIP, its hooks and the gateway; a colleague; a CRM."""

    microsip: InstalledMicroSip
    gateway: WindowsGateway
    tester: SipUserAgent
    receiver: WebhookReceiver
    hooks_installed: str
    """What ``events install`` said."""
    told: list[str] = field(default_factory=list)
    """Every message that came to the colleague."""

    async def notice(self, *words: str) -> str:
        """The next message that holds all of *words*."""
        while True:
            text = (await self.tester.next_message(30)).text
            self.told.append(text)
            if all(word in text for word in words):
                return text

    async def ask(self, text: str) -> str:
        """The reply to *text*; notices of calls may come before it."""
        assert await self.tester.send(self.gateway.bot, text) == 200
        return await self.notice(f" {text} (", ") #")

    async def call_with(self, peer: str) -> dict[str, Any]:
        """The newest call with *peer*, once it is over."""

        async def ended() -> dict[str, Any] | None:
            async with self.gateway.client() as client:
                page = await client.get("/v1/calls", {"peer": peer})
            return next((call for call in page["items"] if call["ended_at"]), None)

        call = await eventually(ended)
        assert call is not None
        return call

    async def posted_of(self, peer: str, last: str) -> list[Posted]:
        """What the CRM was told of the call with *peer*, up to an event of type *last*."""

        async def told() -> list[Posted] | None:
            posted = [p for p in self.receiver.posted if p.document["data"]["peer"] == peer]
            return posted if last in {p.document["type"] for p in posted} else None

        posted = await eventually(told)
        assert posted is not None
        return posted


@pytest.fixture(scope="module")
def installed(
    windows_python: WindowsPython, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InstalledMicroSip]:
    with InstalledMicroSip(windows_python, tmp_path_factory.mktemp("office")) as microsip:
        yield microsip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(
    windows_python: WindowsPython,
    installed: InstalledMicroSip,
    hook_programs: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Office]:
    gateway = WindowsGateway(
        windows_python,
        tmp_path_factory.mktemp("gateway"),
        driver="copydata",
        executable=installed.executable,
        environment=installed.environment,
    )
    async with (
        WebhookReceiver() as receiver,
        SipUserAgent(TESTER, gateway.sip_port) as tester,
    ):
        told = {"tester": TESTER, "host_port": tester.host_port}
        gateway.configure(_TOLD.format(**told, url=receiver.url, secret=SECRET))
        hooks = await gateway.command("events", "install")
        # That of this source, whatever the package was built from.
        program = hook_folder(gateway.data_dir) / HOOK_PROGRAM
        shutil.copy(hook_programs / NAME, program)
        async with gateway:
            yield Office(installed, gateway, tester, receiver, hooks.stdout)
            installed.forget()  # it holds the gateway's output open


@pytest_asyncio.fixture(loop_scope="module")
async def microsip(office: Office) -> SteeredLine:
    """Idle; started by the gateway unless it runs."""
    if not office.microsip.runs:
        await start_by_a_command(office)
    return office.microsip.idle()


async def start_by_a_command(office: Office) -> str:
    """``dial 1002``, to a PC on which no MicroSIP runs; the reply."""
    assert await office.tester.send(office.gateway.bot, "dial 1002") == 200
    await office.microsip.started()
    return await office.notice(" dial 1002 (", ") #")


async def test_a_command_starts_the_microsip_that_is_missing(office: Office) -> None:
    office.microsip.forget()

    reply = await start_by_a_command(office)

    call = await _over(office, "1002")
    assert reply.startswith("OK dial 1002 (")
    assert (call["direction"], call["outcome"]) == ("outgoing", "unanswered")


async def _over(office: Office, peer: str) -> dict[str, Any]:
    office.microsip.idle()
    return await office.call_with(peer)


async def test_a_call_is_told_in_the_chat_and_answered_there(
    office: Office, microsip: SteeredLine
) -> None:
    microsip.order("ring", user="555")
    told = await office.notice("call from 555")
    answered = await office.ask("answer")
    microsip.order("far_side_ends")

    call = await office.call_with("555")
    assert told == 'call from 555: type "answer" or "reject"'
    assert answered.startswith("OK answer (")  # shown by the window or told by the hook
    assert (call["direction"], call["outcome"]) == ("incoming", "answered")
    times = [call[at] for at in ("started_at", "rang_at", "answered_at", "ended_at")]
    assert times == sorted(times)
    assert set(call["sources"]) == {"hook", "ini"}


async def test_rest_shows_whom_the_call_is_with_and_since_when(
    office: Office, microsip: SteeredLine
) -> None:
    microsip.order("ring", user="562")
    microsip.order("human", text="/answer")
    microsip.order("human", text="msip:hold")

    async def held() -> dict[str, Any] | None:
        async with office.gateway.client() as client:
            status = await client.phone_status()
        shown = status["state"]["value"], bool(status["since"])
        return status if shown == ("held", True) else None

    status = await eventually(held)
    assert status is not None
    assert status["state"]["source"] == "window"
    assert (status["peer"]["value"], status["direction"]["value"]) == ("562", "incoming")
    assert (status["muted"]["value"], status["volume"]["value"]) == (False, 60)


async def test_a_call_is_rejected_in_the_chat(office: Office, microsip: SteeredLine) -> None:
    microsip.order("ring", user="556")
    await office.notice("call from 556")
    rejected = await office.ask("reject")

    call = await office.call_with("556")
    assert rejected.startswith("OK reject (")
    assert (call["outcome"], call["answered_at"]) == ("missed", None)


async def test_a_missed_call_is_told_and_called_back(
    office: Office, microsip: SteeredLine
) -> None:
    microsip.order("ring", user="557")
    microsip.order("far_side_ends")
    missed = await office.notice("missed call from 557")
    back = await office.ask("dial 557")

    assert missed.endswith(': type "dial 557"')
    assert back.startswith("OK dial 557 (")


async def test_a_call_is_told_to_the_crm_as_rest_shows_it(
    office: Office, microsip: SteeredLine
) -> None:
    microsip.order("ring", user="558")
    microsip.order("human", text="/answer")
    microsip.order("far_side_ends")

    call = await office.call_with("558")
    posted = await office.posted_of("558", "call.ended")
    types = {one.document["type"]: one.document["data"] for one in posted}
    assert set(types) == {"call.incoming", "call.ringing", "call.started", "call.ended"}
    assert types["call.ended"]["answered_at"] == call["answered_at"]
    assert all(one.signed_with(SECRET) for one in posted)


async def test_a_microsip_that_waits_for_a_program_is_told_of_and_asked_again(
    office: Office, microsip: SteeredLine
) -> None:
    microsip.order("ring", user="559")
    await office.notice("call from 559")
    microsip.order("freeze")
    frozen = await office.ask("answer")
    microsip.order("release")

    async def thawed() -> str | None:
        reply = await office.ask("answer")
        return reply if reply.startswith("OK") else None

    assert frozen.startswith("ERR answer (MicroSIP does not respond")
    assert "nothing was sent" in frozen
    assert await eventually(thawed)


async def test_a_call_ends_as_unknown_with_its_microsip(
    office: Office, microsip: SteeredLine
) -> None:
    microsip.order("ring", user="560")
    await office.notice("call from 560")
    answered = await office.ask("answer")
    microsip.order_only("die")
    office.microsip.forget()

    call = await office.call_with("560")
    assert answered.startswith("OK answer")
    assert call["outcome"] == "unknown"
    assert call["answered_at"]


async def test_every_hook_of_microsip_runs_the_gateways_program(
    office: Office, microsip: SteeredLine
) -> None:
    microsip.reports("hook")
    microsip.order("ring", user="561")
    microsip.order("human", text="/answer")
    microsip.order("far_side_ends")
    waited = {report["key"]: report["milliseconds"] for report in microsip.reports("waited")}

    assert office.hooks_installed.startswith("hooks are in ")
    assert set(waited) == {
        *("cmdIncomingCall", "cmdCallRing", "cmdCallAnswer", "cmdCallStart", "cmdCallEnd"),
    }
    assert None not in waited.values()  # it could be started
