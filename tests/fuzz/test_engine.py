"""The engine's ports under mutated packets: nothing that it acknowledged is lost."""

import asyncio
from collections import Counter
from contextlib import suppress

import pytest

from gateway.sip.headers import parse_headers, split_block
from gateway.sip.user_agent import UserAgent
from tests.fuzz.mutation import mutants
from tests.sip.conftest import Received
from tests.sip.peer import HOST, Packet, Peer, message
from tests.sip.torture import ALL

pytestmark = pytest.mark.timeout(900)

PACKETS = 150
"""Times --examples."""
METHODS = (b"OPTIONS", b"INVITE", b"SUBSCRIBE", b"ACK", b"CANCEL", b"NOTIFY")
GOOD = [case.raw for case in ALL] + [
    case.raw.replace(b"MESSAGE sip", method + b" sip", 1).replace(b"1 MESSAGE", b"1 " + method)
    for case in ALL[:3]
    for method in METHODS
]


class Witness(Peer):
    """Keeps the Call-ID of every MESSAGE that was answered 200, read as the gateway reads."""

    def __init__(self) -> None:
        super().__init__()
        self.promised: set[str] = set()

    def _take(self, packet: Packet) -> bytes | None:
        head = parse_headers(split_block(packet.raw)[0])
        ok = packet.start_line.startswith("SIP/2.0 200")
        if ok and head.first("cseq").upper().endswith("MESSAGE"):
            self.promised.add(head.first("call-id"))
        return super()._take(packet)


async def sent_over_tcp(raw: bytes, port: int) -> None:
    """On a connection of its own; what is answered there is not asked for."""
    with suppress(OSError):  # the engine is just starting again
        _, writer = await asyncio.open_connection(HOST, port)
        writer.write(raw)
        with suppress(OSError):
            await writer.drain()
        writer.close()


@pytest.mark.parametrize("seed", [11, 12])
async def test_after_any_packets_the_engine_answers_and_has_lost_nothing(
    user_agent: UserAgent, received: Received, examples: int, seed: int
) -> None:
    assert user_agent.udp_port
    assert user_agent.tcp_port
    engines = {user_agent.engine_pid}
    async with Witness() as peer:
        for number, mutant in enumerate(mutants(seed, PACKETS * examples, GOOD)):
            if number % 5:
                peer.send(mutant, user_agent.udp_port)
            else:
                await sent_over_tcp(mutant.replace(b"/UDP", b"/TCP"), user_agent.tcp_port)
            if number % 10 == 9:
                plain = message(f"plain {number}", via_port=peer.port)
                await peer.persist(plain, user_agent.udp_port, within=30)
                engines.add(user_agent.engine_pid)

        await received.all_of(peer.promised, within=30)

    assert len(peer.promised) >= PACKETS * examples // 10
    ids = Counter(request.id for request in received.requests)
    assert max(ids.values()) == 1
    print(f"seed {seed}: {len(engines) - 1} restarts, {len(peer.promised)} kept")  # noqa: T201
