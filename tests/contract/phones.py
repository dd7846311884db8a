"""The phones that the suites of Channel and CallControl are run on.

Windows Python runs both suites with ``--noconftest``: nothing here needs a conftest.
"""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from gateway.clock import now
from gateway.microsip.simulated import SimulatedChannel
from gateway.ports import Channel


@dataclass(frozen=True)
class Phone:
    """A channel to an idle phone, and a way to let it ring."""

    channel: Channel
    ring: Callable[[str], None]


@asynccontextmanager
async def simulated() -> AsyncIterator[Phone]:
    channel = SimulatedChannel(clock=now)
    yield Phone(channel, channel.ring)


PHONES: dict[str, Callable[[], AbstractAsyncContextManager[Phone]]] = {"simulated": simulated}

if sys.platform == "win32":
    from gateway.config import Dde
    from gateway.microsip.dde import DdeChannel
    from tests.peers.wine_desktop import start
    from tests.peers.wine_steering import SteeredPeer

    @asynccontextmanager
    async def dde() -> AsyncIterator[Phone]:
        options = ("tests.peers.dde_microsip", "--service", "Contract")
        with SteeredPeer(start, *options) as microsip:
            async with DdeChannel(Dde(service="Contract")) as channel:
                yield Phone(
                    channel,
                    lambda number: microsip.order("reset", state="ringing", number=number),
                )

    PHONES["dde"] = dde
