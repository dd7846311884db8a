"""A flood from one address, and what it does to everybody else.

``python -m tests.bench.flood --per-second 500`` prints how long the others waited for their
answers, without the flood and in it.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import click

from tests.peers.gateway_process import SIMULATED_PHONE, GatewayProcess, account
from tests.peers.kamailio import DOMAIN, Kamailio
from tests.peers.sip_ua import SipUserAgent

FLOODER = "127.0.0.2"
_TICK = 0.01


class Flood(asyncio.DatagramProtocol):
    """MESSAGE after MESSAGE from *address*, whether they are answered or not."""

    def __init__(self, port: int, *, per_second: int, address: str = FLOODER) -> None:
        self.sent = 0
        self.acknowledged = 0
        self._target = ("127.0.0.1", port)
        self._address = address
        self._per_second = per_second
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self._address, 0)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._transport is not None
        self._transport.close()

    async def run(self, total: int) -> None:
        """So many, and none is repeated."""
        assert self._transport is not None
        began = time.monotonic()
        while self.sent < total:
            due = int((time.monotonic() - began) * self._per_second) + 1
            for _ in range(min(due, total) - self.sent):
                self._transport.sendto(self._request(), self._target)
                self.sent += 1
            await asyncio.sleep(_TICK)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        self.acknowledged += data.startswith(b"SIP/2.0 200")

    def _request(self) -> bytes:
        number = f"{self._address}-{self.sent}"
        return (
            f"MESSAGE sip:bot@{DOMAIN} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self._address}:9;rport;branch=z9hG4bK{number}\r\n"
            f"From: <sip:101@{DOMAIN}>;tag={number}\r\nTo: <sip:bot@{DOMAIN}>\r\n"
            f"Call-ID: {number}\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\n"
            "Content-Type: text/plain\r\nContent-Length: 9\r\n\r\ndial 1002"
        ).encode()


@dataclass(frozen=True, slots=True)
class Answered:
    """One ping of a genuine sender."""

    text: str
    seconds: float
    """From the first sending of the ping to its answer."""


async def pings(sender: SipUserAgent, count: int, *, pause: float = 0.0) -> list[Answered]:
    """What *sender* is answered, in the order of the answers; it goes on after a 408."""
    answers = []
    for number in range(count):
        began = time.monotonic()
        if await sender.send("bot", f"ping {number}") != 200:
            continue
        answer = await sender.next_message(60)
        answers.append(Answered(answer.text, time.monotonic() - began))
        await asyncio.sleep(pause)
    return answers


@asynccontextmanager
async def office(
    folder: Path, users: int, *sections: str
) -> AsyncIterator[tuple[GatewayProcess, list[SipUserAgent]]]:
    """A gateway at a registrar, with so many registered users."""
    async with AsyncExitStack() as stack:
        kamailio = stack.enter_context(Kamailio())
        gateway = GatewayProcess(folder, account("bot", kamailio), SIMULATED_PHONE, *sections)
        await stack.enter_async_context(gateway)
        await gateway.registered()
        agents = [SipUserAgent(str(200 + n), kamailio.port) for n in range(users)]
        for agent in agents:
            await stack.enter_async_context(agent)
            await agent.register()
        yield gateway, agents


async def everybody(agents: Sequence[SipUserAgent], count: int) -> list[Answered]:
    """Pings of all of them at the same time."""
    told = await asyncio.gather(*(pings(agent, count, pause=0.1) for agent in agents))
    return [answer for answers in told for answer in answers]


def percentile(answers: Sequence[Answered], share: float) -> float:
    times = sorted(answer.seconds for answer in answers)
    return times[min(int(len(times) * share), len(times) - 1)]


async def compare(users: int, count: int, per_second: int) -> str:
    """A table: idle, flooded, and their ratio."""
    with tempfile.TemporaryDirectory(prefix="flood-") as folder:
        async with (
            office(Path(folder) / "gateway", users) as (gateway, agents),
            Flood(gateway.sip_port, per_second=per_second) as flood,
        ):
            idle = await everybody(agents, count)
            flooding = asyncio.create_task(flood.run(1 << 40))
            began = time.monotonic()
            flooded = await everybody(agents, count)
            elapsed = time.monotonic() - began
            flooding.cancel()
            await asyncio.wait([flooding])
    lines = [f"{'':10}{'p50':>10}{'p95':>10}{'p99':>10}   ms"]
    for name, answers in (("idle", idle), ("flooded", flooded)):
        cells = "".join(f"{percentile(answers, p) * 1000:10.1f}" for p in (0.5, 0.95, 0.99))
        lines.append(f"{name:10}{cells}")
    ratio = percentile(flooded, 0.95) / percentile(idle, 0.95)
    return "\n".join(
        [
            *lines,
            f"p95 flooded / idle: {ratio:.2f}; {len(flooded)} of {users * count} answered",
            f"flood: {flood.sent / elapsed:.0f}/s sent, {flood.acknowledged} acknowledged",
        ]
    )


@click.command()
@click.option("--users", default=20, show_default=True)
@click.option("--pings", "count", default=9, show_default=True, help="Of each user, twice.")
@click.option("--per-second", default=500, show_default=True, help="Of the flood.")
def main(users: int, count: int, per_second: int) -> None:
    """How long others wait while one address floods the gateway."""
    click.echo(asyncio.run(compare(users, count, per_second)))


if __name__ == "__main__":
    main()
