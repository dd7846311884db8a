"""The phones that the suites of Channel and CallControl are run on.

Windows Python runs both suites with ``--noconftest``: nothing here needs a conftest.
"""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass

from gateway.clock import now
from gateway.microsip.simulated import SimulatedChannel
from gateway.phone import PhoneCommand, Verb
from gateway.ports import Channel


@dataclass(frozen=True, kw_only=True)
class Phone:
    """A channel to an idle phone, and what there is to know of it."""

    channel: Channel
    ring: Callable[[str], None]
    refused: PhoneCommand
    """This one it says no to, while it is idle."""


Idle = Callable[[], AbstractAsyncContextManager[Phone]]
"""Opens a channel to the phone that stays on the desk, with no call left of the test before."""

HANGUP = PhoneCommand(Verb.HANGUP)


@asynccontextmanager
async def _simulated() -> AsyncIterator[Phone]:
    channel = SimulatedChannel(clock=now)
    yield Phone(channel=channel, ring=channel.ring, refused=HANGUP)


DESKS: dict[str, Callable[[], AbstractContextManager[Idle]]] = {
    "simulated": lambda: nullcontext(_simulated)
}

if sys.platform == "win32":
    import asyncio
    from itertools import count
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from gateway.config import Dde
    from gateway.microsip.copydata import CopyDataChannel
    from gateway.microsip.dde import DdeChannel
    from gateway.microsip.window import UserDesktop
    from tests.peers.wine_desktop import start
    from tests.peers.wine_installation import install, started_from
    from tests.peers.wine_steering import SteeredPeer

    DEVICE = PhoneCommand(Verb.DEVICE, ("input", "3"))
    _numbers = count()

    @contextmanager
    def dde() -> Iterator[Idle]:
        service = f"Contract{next(_numbers)}"
        with SteeredPeer(start, "tests.peers.dde_microsip", "--service", service) as microsip:

            @asynccontextmanager
            async def idle() -> AsyncIterator[Phone]:
                microsip.order("reset")
                async with DdeChannel(Dde(service=service)) as channel:
                    yield Phone(
                        channel=channel,
                        ring=lambda number: microsip.order("ring", number=number),
                        refused=HANGUP,
                    )

            yield idle

    @contextmanager
    def copydata() -> Iterator[Idle]:
        with TemporaryDirectory() as folder:
            executable = install(Path(folder), "3.22.3")
            module = "tests.peers.wine_microsip_window"
            with SteeredPeer(started_from(executable), module) as microsip:

                @asynccontextmanager
                async def idle() -> AsyncIterator[Phone]:
                    microsip.order("reset")
                    async with CopyDataChannel(
                        desktop=UserDesktop(), executable=str(executable), sleep=asyncio.sleep
                    ) as channel:
                        yield Phone(
                            channel=channel,
                            ring=lambda number: microsip.order("ring", user=number),
                            refused=DEVICE,
                        )

                yield idle

    DESKS |= {"dde": dde, "copydata": copydata}
