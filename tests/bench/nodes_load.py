"""People who write to the bot, and programs that write to them, by one plan."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from uuid import uuid4

from gateway.errors import GatewayError
from gateway.web.client import GatewayClient
from tests.peers.dispatcher import Office
from tests.peers.kamailio import DOMAIN
from tests.peers.packet import Packet
from tests.peers.sip_ua import SipUserAgent

_PAUSE = 0.2
"""Seconds, after a POST that was not accepted; the next one asks another node."""
_PATIENCE = 120
"""Seconds until a program gives up; a claim to an idempotency key outlives its node by 60."""
BINDING_LASTS = 600


def users(number: int) -> list[str]:
    return [f"p{index}" for index in range(number)]


def is_ours(text: str) -> bool:
    """Not the gateway's own, which it tells a newcomer."""
    return text.startswith(("from p", "to p"))


class Pace:
    """So many a second, of all who take their turn together."""

    def __init__(self, per_second: float) -> None:
        self._step = 1 / per_second
        self._due = 0.0

    async def turn(self) -> None:
        """Nobody makes up for a turn that was missed."""
        now = asyncio.get_running_loop().time()
        self._due = max(self._due + self._step, now)
        await asyncio.sleep(self._due - now)


class Correspondent(SipUserAgent):
    """Writes to the bot, and keeps the answer to the proxy's challenge while that is good."""

    _kept: tuple[tuple[str, str], ...] = ()

    def _headers(self, method: str, to: str, call_id: str) -> tuple[tuple[str, str], ...]:
        headers = super()._headers(method, to, call_id)
        return headers + self._kept if method == "MESSAGE" else headers

    def _authorization(self, response: Packet, method: str, uri: str) -> tuple[str, str]:
        credentials = super()._authorization(response, method, uri)
        if method == "MESSAGE":
            self._kept = (credentials,)
        return credentials

    async def bind(self, port: int) -> None:
        """Register the *port* of the sink, where its messages go."""
        contact = f"<sip:{self.user}@127.0.0.1:{port}>;expires={BINDING_LASTS}"
        status = await self.request(
            "REGISTER", f"sip:{DOMAIN}", to=self.uri, extra=(("Contact", contact),)
        )
        assert status == 200, f"REGISTER of {self.user}: {status}"


@dataclass
class Load:
    """What was acknowledged so far; each text is one message's own."""

    acknowledged: set[str] = field(default_factory=set)
    """Written to the bot, and answered 200."""
    unanswered: set[str] = field(default_factory=set)
    """Any other answer: it may be in the history or not."""
    accepted: dict[str, int] = field(default_factory=dict)
    """POSTed and answered 202, by the number of the node that answered."""
    given_up: set[str] = field(default_factory=set)
    retried: Counter[int] = field(default_factory=Counter)
    """POSTs that a node did not accept; repeated with their key at the next one."""

    @property
    def done(self) -> int:
        return len(self.acknowledged) + len(self.accepted)


async def write(agent: Correspondent, count: int, pace: Pace, load: Load) -> None:
    """One after another: the next when the one before was answered."""
    for number in range(count):
        await pace.turn()
        text = f"from {agent.user} {number}"
        status = await agent.send("bot", text)
        (load.acknowledged if status == 200 else load.unanswered).add(text)


async def post(
    clients: Sequence[GatewayClient], user: str, count: int, pace: Pace, load: Load
) -> None:
    """One after another, each to another node than the one before."""
    first = int(user[1:])
    for number in range(count):
        await pace.turn()
        text = f"to {user} {number}"
        key = uuid4().hex
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        node = (first + number) % len(clients)
        while text not in load.accepted:
            if asyncio.get_running_loop().time() > deadline:
                load.given_up.add(text)
                break
            try:
                await clients[node].send(f"sip:{user}@{DOMAIN}", text, idempotency_key=key)
            except GatewayError:  # killed; what it was told may be done, hence the key
                load.retried[node] += 1
                node = (node + 1) % len(clients)
                await asyncio.sleep(_PAUSE)
            else:
                load.accepted[text] = node


async def bound(
    stack: AsyncExitStack, office: Office, people: int, sink: int
) -> list[Correspondent]:
    """So many, their messages go to the *sink*'s port."""
    agents = [Correspondent(user, office.kamailio.port) for user in users(people)]
    for agent in agents:
        await stack.enter_async_context(agent)
        await agent.bind(sink)
    return agents


async def keep_bound(agents: Sequence[Correspondent], sink: int) -> None:
    """Until cancelled."""
    while True:
        await asyncio.sleep(BINDING_LASTS / 3)  # RFC 3261, section 10.2.4: before it ends
        for agent in agents:
            await agent.bind(sink)
