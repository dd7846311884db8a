"""The part of one gateway among those that share a database."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from gateway.message import Message
from gateway.patience import Patience

LEASE = timedelta(seconds=30)
RENEWED_EVERY = timedelta(seconds=10)
TOLERATED = timedelta(seconds=5)
"""Of clocks: a delivery's lease ends by that of the node that looks."""

log = logging.getLogger(__name__)


class Nodes(Protocol):
    """The gateways that share the database: this one, and what others leave behind."""

    async def renew(self, lease: timedelta) -> bool:
        """Until it ends, by the database's clock, this gateway answers what it received.

        False when it was not the holder of a lease up to now.
        """

    async def resume(self, now: datetime) -> None:
        """What this gateway was sending when it stopped is due at once, as perhaps repeated.

        Before it sends anything: nobody makes those attempts any more.
        """

    async def take_over(self) -> Sequence[Message]:
        """Take, oldest first, what gateways whose lease ran out have not answered.

        With what it took before, if that is not answered either: the commit of a taking may
        not have been acknowledged. Only what came for an account this one has, by which the
        answer leaves.

        No two get the same message. The old gateway may come back and answer it too: of
        two answers the first is sent, of two phone commands the first in the audit is run.
        """

    async def clock_error(self) -> timedelta:
        """How far this machine's clock is from the database's, by which all go."""


async def start(nodes: Nodes, now: datetime) -> None:
    """Before a gateway receives or sends anything: it is there, and has what it left."""
    await nodes.renew(LEASE)
    await nodes.resume(now)


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipSettings:
    """How a node keeps its lease."""

    lease: timedelta = LEASE
    renewed_every: timedelta = RENEWED_EVERY
    patience: Patience = field(default_factory=lambda: Patience(longest=timedelta(seconds=5)))


class Membership:
    """Keeps this gateway's lease, and takes over from those that lost theirs.

    A clean stop leaves the lease: a gateway that is started again at once answers for
    itself, and may run the phone commands that nobody else may.
    """

    def __init__(
        self,
        *,
        nodes: Nodes,
        answer: Callable[[Sequence[Message]], None],
        settings: MembershipSettings,
    ) -> None:
        """*answer* is handed what was taken over."""
        self._nodes = nodes
        self._answer = answer
        self._settings = settings
        self._is_wrong = False
        """The clock, as far as the log has it."""

    async def run(self) -> None:
        """Until cancelled.

        Where the lease ran out, the others' did too, as the database was away or all are
        started together: they have time for theirs before anything is taken from them.
        """
        while True:
            await asyncio.sleep(self._settings.renewed_every.total_seconds())
            await self._settings.patience.insist("the lease of this gateway", self._renew)

    async def _renew(self) -> None:
        if await self._nodes.renew(self._settings.lease):
            self._answer(await self._nodes.take_over())
        self._judge(await self._nodes.clock_error())

    def _judge(self, error: timedelta) -> None:
        """One line when the clock goes wrong, and one when it is right again."""
        is_wrong = abs(error) > TOLERATED
        if is_wrong and not self._is_wrong:
            log.error(
                "this machine's clock is %.0f s from the database's: messages may be sent"
                " twice; let NTP set the clocks of both",
                error.total_seconds(),
            )
        elif self._is_wrong and not is_wrong:
            log.info("this machine's clock is right again")
        self._is_wrong = is_wrong
