"""Each send ends in the final response, or in SendError."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import pytest
from pydantic import SecretStr

from gateway.config import Account
from gateway.errors import SendError
from gateway.message import FinalResponse
from gateway.metrics import Metrics
from gateway.sip.user_agent import DRAIN_SECONDS, UserAgent
from tests.sip.conftest import LOCAL, delivery
from tests.sip.peer import HOST, Peer, Reply, always, challenged, silent

assert sys.platform != "win32"  # SIGKILL

pytestmark = pytest.mark.timeout(60)

Make = Callable[..., AbstractAsyncContextManager[UserAgent]]


async def test_what_leaves_is_what_microsip_shows(user_agent: UserAgent, peer: Peer) -> None:
    text = "OK dial 1002 \N{EURO SIGN}"

    response = await user_agent.send(delivery(peer, body=text))

    assert response == FinalResponse(200, "OK")
    request = await peer.next("MESSAGE")
    assert request.start_line == f"MESSAGE {peer.uri} SIP/2.0"
    assert request.header("Content-Type") == "text/plain"
    assert request.body == text.encode()
    assert request.header("From").startswith("<sip:bot@127.0.0.1>;tag=")


async def test_the_request_uri_may_differ_from_to(user_agent: UserAgent, peer: Peer) -> None:
    await user_agent.send(delivery(peer, to_uri="sip:101@192.0.2.9", target=peer.uri))

    request = await peer.next("MESSAGE")
    assert request.start_line == f"MESSAGE {peer.uri} SIP/2.0"
    assert request.header("To") == "<sip:101@192.0.2.9>"


async def test_a_target_over_tcp_is_reached_over_tcp(user_agent: UserAgent, peer: Peer) -> None:
    response = await user_agent.send(delivery(peer, target=f"{peer.uri};transport=tcp"))

    assert response.status_code == 200
    assert (await peer.next("MESSAGE")).transport == "TCP"


async def test_without_udp_everything_goes_over_tcp(make: Make, peer: Peer) -> None:
    async with make(udp_port=False) as user_agent:
        response = await user_agent.send(delivery(peer))

        assert user_agent.udp_port is None

    assert response.status_code == 200
    assert (await peer.next("MESSAGE")).transport == "TCP"


@pytest.mark.parametrize(
    "target", ["sip:101@[::1]:5060", "sips:101@127.0.0.1", "sip:101@127.0.0.1;transport=tls"]
)
async def test_what_no_transport_here_reaches_is_refused_at_once(
    user_agent: UserAgent, peer: Peer, target: str
) -> None:
    response = await user_agent.send(delivery(peer, target=target))

    assert (response.status_code, response.local) == (400, True)


@pytest.mark.parametrize(
    ("reply", "response"),
    [
        (Reply(202, "Accepted"), FinalResponse(202, "Accepted")),
        (Reply(404, "Not Found"), FinalResponse(404, "Not Found")),
        (
            Reply(480, "Temporarily Unavailable", ("Retry-After: 17 (later)",)),
            FinalResponse(480, "Temporarily Unavailable", retry_after=17),
        ),
        (Reply(503, "Full", ("Retry-After: 5",)), FinalResponse(503, "Full", retry_after=5)),
        (Reply(603, "Decline"), FinalResponse(603, "Decline")),
    ],
    ids=lambda value: str(getattr(value, "status_code", "")),
)
async def test_the_final_response_is_what_the_peer_said(
    user_agent: UserAgent, peer: Peer, reply: Reply, response: FinalResponse
) -> None:
    peer.answers["MESSAGE"] = always(reply)

    assert await user_agent.send(delivery(peer)) == response


@pytest.mark.parametrize("header", ["Authorization", "Proxy-Authorization"])
async def test_a_challenge_is_answered(make: Make, peer: Peer, header: str) -> None:
    peer.answers["MESSAGE"] = challenged("anna", "secret", header)
    account = Account(
        name="bot", uri="sip:bot@127.0.0.1", username="anna", password=SecretStr("secret")
    )

    async with make(account) as user_agent:
        response = await user_agent.send(delivery(peer))

    assert response == FinalResponse(200, "OK")


async def test_a_wrong_password_is_a_401(make: Make, peer: Peer) -> None:
    peer.answers["MESSAGE"] = challenged("anna", "secret")
    account = Account(
        name="bot", uri="sip:bot@127.0.0.1", username="anna", password=SecretStr("wrong")
    )

    async with make(account) as user_agent:
        response = await user_agent.send(delivery(peer))

    assert response.status_code == 401


async def test_a_refused_connection_is_a_local_503(user_agent: UserAgent, peer: Peer) -> None:
    async with Peer() as closed:
        target = f"{closed.uri};transport=tcp"

    response = await user_agent.send(delivery(peer, target=target))

    assert (response.status_code, response.local) == (503, True)


@pytest.mark.timeout(90)
async def test_a_silent_peer_is_a_local_408(user_agent: UserAgent, peer: Peer) -> None:
    peer.answers["MESSAGE"] = silent

    response = await user_agent.send(delivery(peer))

    assert (response.status_code, response.local) == (408, True)


async def test_a_body_beyond_pjsips_buffer_is_a_local_513(
    user_agent: UserAgent, peer: Peer
) -> None:
    response = await user_agent.send(delivery(peer, body="x" * 5000))

    assert (response.status_code, response.local) == (513, True)
    assert (await user_agent.send(delivery(peer))).status_code == 200


@pytest.mark.parametrize("target", ["http://127.0.0.1/", "sip:a b@127.0.0.1"])
async def test_a_target_that_is_no_sip_uri_is_a_local_400(
    user_agent: UserAgent, peer: Peer, target: str
) -> None:
    response = await user_agent.send(delivery(peer, target=target))

    assert (response.status_code, response.local) == (400, True)


async def test_text_that_is_not_unicode_is_not_sent(user_agent: UserAgent, peer: Peer) -> None:
    with pytest.raises(SendError, match="not Unicode") as caught:
        await user_agent.send(delivery(peer, body="\ud800"))

    assert not caught.value.sent


async def test_a_host_that_does_not_resolve_is_told_from_silence(
    user_agent: UserAgent, peer: Peer
) -> None:
    with pytest.raises(SendError, match="gethostbyname") as caught:
        await user_agent.send(delivery(peer, target="sip:666@evil.invalid"))

    assert not caught.value.sent


@pytest.mark.parametrize("account", ["listener", "nobody"])
async def test_only_a_bot_account_sends(make: Make, peer: Peer, account: str) -> None:
    listener = Account(name="listener", uri="sip:102@127.0.0.1", mode="record")

    async with make(LOCAL, listener) as user_agent:
        response = await user_agent.send(delivery(peer, account=account))

    assert (response.status_code, response.local) == (403, True)
    assert peer.requests.empty()


async def test_more_peers_than_pjsip_has_buddies(user_agent: UserAgent, peer: Peer) -> None:
    pid = user_agent.engine_pid

    async def send(number: int) -> FinalResponse:
        return await user_agent.send(delivery(peer, to_uri=f"sip:{number}@{HOST}"))

    responses = [await send(number) for number in range(300)]

    assert {response.status_code for response in responses} == {200}
    assert user_agent.engine_pid == pid


async def test_sends_in_flight_are_unanswered_when_the_engine_dies(
    user_agent: UserAgent, peer: Peer
) -> None:
    peer.answers["MESSAGE"] = silent
    sends = [asyncio.create_task(user_agent.send(delivery(peer))) for _ in range(3)]
    for _ in sends:
        await peer.next("MESSAGE")
    assert user_agent.engine_pid

    os.kill(user_agent.engine_pid, signal.SIGKILL)

    outcomes = await asyncio.gather(*sends, return_exceptions=True)
    assert [isinstance(o, SendError) and o.sent for o in outcomes] == [True] * 3


async def test_requests_without_a_final_response_are_counted(
    user_agent: UserAgent, peer: Peer, metrics: Metrics
) -> None:
    peer.answers["MESSAGE"] = silent
    sends = [asyncio.create_task(user_agent.send(delivery(peer))) for _ in range(2)]
    for _ in sends:
        await peer.next("MESSAGE")

    counted = metrics.registry.get_sample_value("sip_gateway_deliveries_in_flight")

    assert counted == 2
    for send in sends:
        send.cancel()
    await asyncio.gather(*sends, return_exceptions=True)


async def test_a_clean_stop_waits_for_no_answer_that_nobody_wants(
    make: Make, peer: Peer
) -> None:
    peer.answers["MESSAGE"] = silent
    async with AsyncExitStack() as stack:
        user_agent = await stack.enter_async_context(make())
        sending = asyncio.create_task(user_agent.send(delivery(peer)))
        await peer.next("MESSAGE")

        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        async with asyncio.timeout(DRAIN_SECONDS):
            await stack.aclose()


async def test_a_clean_stop_waits_for_what_is_in_flight(make: Make, peer: Peer) -> None:
    asked = asyncio.Event()
    peer.answers["MESSAGE"] = silent
    async with make() as user_agent:
        sending = asyncio.create_task(user_agent.send(delivery(peer)))
        await peer.next("MESSAGE")
        # Its retransmission, half a second later, meets a gateway that is stopping.
        peer.answers["MESSAGE"] = always(Reply(200, "OK"))
        asked.set()

    assert (await sending).status_code == 200
