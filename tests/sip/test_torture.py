"""Odd, wrong and crafted MESSAGE requests do no harm, and what is acknowledged is kept."""

import asyncio
from collections import Counter
from contextlib import suppress

import pytest

from gateway.sip.user_agent import UserAgent
from tests.sip.conftest import Received
from tests.sip.peer import HOST, Packet, Peer, ask_over_tcp, message
from tests.sip.torture import ALL, TRICKY_OVER_TCP, Torture

pytestmark = pytest.mark.timeout(120)


async def answer_to(raw: bytes, peer: Peer, port: int) -> int | None:
    """The status code; None when the answer to a plain request after it comes first."""
    after = message("after", via_port=peer.port)
    peer.send(raw, port)
    peer.send(after, port)
    code = None
    while (answer := await peer.final()).header("Call-ID") != Packet(after, "UDP").header(
        "Call-ID"
    ):
        code = answer.status_code
    return code


async def test_each_gets_its_answer_and_nobody_is_harmed(
    user_agent: UserAgent, peer: Peer, received: Received
) -> None:
    assert user_agent.udp_port
    pid = user_agent.engine_pid

    codes = {case.name: await answer_to(case.raw, peer, user_agent.udp_port) for case in ALL}
    requests = await received.all_of(peer.acknowledged)

    assert user_agent.engine_pid == pid
    acknowledged = {name for name, code in codes.items() if code == 200}
    assert acknowledged == {case.name for case in ALL if case.text is not None}
    texts = Counter((r.call_id, r.text) for r in requests if r.text != "after")
    assert texts == Counter((case.name, case.text) for case in ALL if case.text is not None)


async def test_a_crafted_sender_is_nobody_else(
    user_agent: UserAgent, peer: Peer, received: Received
) -> None:
    """What the history calls the sender, for those whose From is not the plain one."""
    assert user_agent.udp_port
    senders = {
        "a-name-like-an-address": "sip:101@127.0.0.1",
        "no-angle-brackets": "sip:101@127.0.0.1",
        "two-froms": "",
        "from-http": "<http://127.0.0.1>;tag=a1",
    }

    for case in ALL:
        if case.name in senders:
            await answer_to(case.raw, peer, user_agent.udp_port)
    requests = await received.all_of(set(senders))

    assert {r.call_id: r.from_uri for r in requests if r.call_id in senders} == senders


async def test_more_connections_than_pjsip_has_room_for_lose_nothing(
    user_agent: UserAgent, peer: Peer, received: Received
) -> None:
    """PJSIP is compiled for 64 sockets, and its assertion ends the engine beyond."""
    assert user_agent.udp_port
    assert user_agent.tcp_port
    for number in range(20):
        await peer.ask(message(str(number), via_port=peer.port), user_agent.udp_port)

    for _ in range(100):
        with suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, user_agent.tcp_port)
            writer.close()
    await peer.persist(message("after", via_port=peer.port), user_agent.udp_port, within=20)
    requests = await received.all_of(peer.acknowledged)

    assert max(Counter(request.call_id for request in requests).values()) == 1


@pytest.mark.parametrize("case", TRICKY_OVER_TCP, ids=lambda case: case.name)
async def test_a_stream_ends_or_goes_on_but_harms_nobody(
    user_agent: UserAgent, peer: Peer, received: Received, case: Torture
) -> None:
    assert user_agent.tcp_port
    assert user_agent.udp_port
    pid = user_agent.engine_pid

    await ask_over_tcp(case.raw.replace(b"/UDP", b"/TCP"), user_agent.tcp_port, within=0.3)
    answer = await peer.ask(message("after", via_port=peer.port), user_agent.udp_port)
    await received.all_of(peer.acknowledged)

    assert answer.status_code == 200
    assert user_agent.engine_pid == pid
