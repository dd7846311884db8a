"""Packets that end PJSIP 2.15.1: a moment is lost, no message that was acknowledged."""

import time
from collections.abc import Callable

import pytest

from gateway.sip.user_agent import UserAgent
from tests.sip.conftest import Received
from tests.sip.peer import Peer, message

pytestmark = pytest.mark.timeout(90)


def merged_ack(peer: Peer, method: str) -> tuple[bytes, ...]:
    """A request, then an ACK that looks like the same one by another way."""
    first = message("", via_port=peer.port, method=method)
    second = first.replace(method.encode() + b" sip", b"ACK sip", 1)
    if method == "INVITE":
        second = second.replace(b"1 INVITE", b"1 ACK").replace(b" INVITE\r\n", b" ACK\r\n")
    return first, second.replace(b"z9hG4bK", b"z9hG4bKother")


def without_host(
    peer: Peer, header: str, value: str, method: str = "MESSAGE"
) -> tuple[bytes, ...]:
    return (message("hi", via_port=peer.port, method=method, changed={header: value}),)


HOLES: dict[str, Callable[[Peer], tuple[bytes, ...]]] = {
    "message-and-ack": lambda peer: merged_ack(peer, "MESSAGE"),
    "invite-and-ack": lambda peer: merged_ack(peer, "INVITE"),
    "from": lambda peer: without_host(peer, "From", "<sip:101@[]>;tag=1"),
    "to": lambda peer: without_host(peer, "To", "<sip:bot@[]>"),
    "contact": lambda peer: without_host(peer, "Contact", "<sip:101@[]>"),
    "record-route": lambda peer: without_host(peer, "Record-Route", "<sip:[];lr>", "INVITE"),
}


@pytest.mark.parametrize("hole", list(HOLES))
async def test_the_engine_is_back_and_nothing_acknowledged_is_lost(
    user_agent: UserAgent, peer: Peer, received: Received, hole: str
) -> None:
    assert user_agent.udp_port
    pid = user_agent.engine_pid
    for number in range(20):
        await peer.ask(message(str(number), via_port=peer.port), user_agent.udp_port)

    for packet in HOLES[hole](peer):
        peer.send(packet, user_agent.udp_port)
    began = time.monotonic()
    await peer.is_silent(0.2)
    after = message("after", via_port=peer.port)
    answer = await peer.persist(after, user_agent.udp_port, within=20)
    await received.all_of(peer.acknowledged)

    print(f"\n{hole}: back after {time.monotonic() - began:.1f} s")  # noqa: T201  for SECURITY.md
    assert user_agent.engine_pid != pid
    assert answer.status_code == 200
    call_ids = [request.call_id for request in received.requests]
    assert len(call_ids) == len(set(call_ids))
