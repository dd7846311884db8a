"""A load of ``POST /v1/messages`` on a gateway that may die at any moment."""

import asyncio
import itertools
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from gateway.errors import GatewayError
from gateway.web.client import GatewayClient
from gateway.web.local import read_local_access
from tests.peers.sip_ua import SipUserAgent

PEERS = 200
_WRITERS = 64
_PAUSE = 0.05
"""Seconds, after a request that found no gateway."""
_OPEN = {"queued", "sending", "waiting", "retrying"}


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of every message that was accepted with a 202."""

    accepted: int
    delivered: int
    queued: int
    lost: tuple[str, ...]
    """Texts: neither delivered and received, nor still queued."""
    twice: tuple[str, ...]
    unmarked: tuple[str, ...]
    """Received twice, and not flagged ``resent``."""


@dataclass
class OutboundLoad:
    """Writes to many peers, all of them at one *sink*; keeps what was accepted."""

    data_dir: Path
    sink: SipUserAgent
    per_second: int
    accepted: set[str] = field(default_factory=set)
    """Texts: each is one message's own."""

    def __post_init__(self) -> None:
        self._numbers = itertools.count()

    async def run(self) -> None:
        """Until cancelled; requests that find no gateway are not repeated."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(_WRITERS):
                workers.create_task(self._work())

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        step = _WRITERS / self.per_second
        due = loop.time()
        while True:
            access = read_local_access(self.data_dir)
            if access is not None:
                try:
                    async with GatewayClient(access) as client:
                        while True:
                            due = max(due + step, loop.time())
                            await asyncio.sleep(due - loop.time())  # the load's own pace
                            await self._send(client)
                except GatewayError:
                    pass  # it was killed; the next one leaves another token
            await asyncio.sleep(_PAUSE)

    async def _send(self, client: GatewayClient) -> None:
        number = next(self._numbers)
        text = f"alert {number}"
        await client.send(f"sip:p{number % PEERS}@{self.sink.host_port}", text)
        self.accepted.add(text)

    def verdict(self, database: Path) -> Delivered:
        """By the store and by what the sink was sent, retransmissions aside."""
        received: Counter[str] = Counter()
        while not self.sink.received.empty():
            received[self.sink.received.get_nowait().text] += 1
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            rows = connection.execute(
                "SELECT text, status, resent FROM message WHERE direction = 'outbound'"
            ).fetchall()
        status = {text: status for text, status, _ in rows}
        marked = {text for text, _, resent in rows if resent}
        delivered = {t for t in self.accepted if status.get(t) == "delivered" and received[t]}
        queued = {t for t in self.accepted if status.get(t) in _OPEN}
        twice = {text for text, times in received.items() if times > 1}
        return Delivered(
            accepted=len(self.accepted),
            delivered=len(delivered),
            queued=len(queued),
            lost=tuple(sorted(self.accepted - delivered - queued)),
            twice=tuple(sorted(twice)),
            unmarked=tuple(sorted(twice - marked)),
        )


def open_deliveries(database: Path) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        [(count,)] = connection.execute("SELECT count(*) FROM delivery WHERE state = 'open'")
        return int(count)
