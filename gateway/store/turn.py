"""A turn of the queue: all that is to be done to it, in one transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.message import Delivery, Settlement, Submission
from gateway.store import lanes, leasing, queueing, settling, wakeup
from gateway.store.among import among
from gateway.store.endings import Endings
from gateway.store.events import EventOutbox
from gateway.store.leasing import Terms
from gateway.store.queueing import Answer, Completion
from gateway.store.tables import peer


@dataclass(frozen=True, slots=True)
class Addition:
    """A message to be sent, with the idempotency key that it completes."""

    submission: Submission
    completion: Completion | None = None


Step = Addition | Answer | Settlement | Terms

_DUE_ELSEWHERE = (
    select(peer.c.aor)
    .where(
        among(peer.c.aor, "aors"),
        peer.c.due_at.is_not(None),
        ~among(peer.c.account, "accounts"),
    )
    .limit(1)
)


class Turn:
    """Takes the turns of one node.

    The steps are done in an order in which each builds on those before it: what comes in,
    what has become of attempts, and what may leave then.
    """

    def __init__(
        self,
        *,
        node: str,
        accounts: Collection[str] | None,
        events: EventOutbox,
        endings: Endings,
    ) -> None:
        """*accounts* are those whose deliveries may be leased here; None: all."""
        self._node = node
        self._accounts = accounts
        self._events = events
        self._endings = endings

    async def take(self, connection: AsyncConnection, steps: Sequence[Step]) -> Sequence[Any]:
        """The result of each step, in the order of *steps*.

        None of an addition or an answer; of a settlement the status of its message, if that
        became final; of terms the deliveries that were leased.
        """
        additions = [step for step in steps if isinstance(step, Addition)]
        answers = [step for step in steps if isinstance(step, Answer)]
        settlements = [step for step in steps if isinstance(step, Settlement)]
        completions = [step.completion for step in additions if step.completion is not None]
        await queueing.complete(connection, completions)
        replies = await queueing.answered(connection, answers)
        await self._endings.store(connection, [answer.message_id for answer in answers])
        incoming = [*(step.submission for step in additions), *replies]
        notices = [notice for step in settlements for notice in step.notices]
        to_peers = queueing.peers([*incoming, *notices])
        settled_peers = {step.delivery.peer for step in settlements}
        await lanes.lock(connection, to_peers, known=settled_peers)
        await queueing.lead(connection, replies)
        finals = await settling.settle(
            connection, settlements, node=self._node, events=self._events
        )
        await queueing.insert_all(connection, incoming)
        await lanes.refresh(connection, to_peers | settled_peers)
        if to_peers or await self._others_have(connection, settled_peers):
            await wakeup.tell(connection, self._node)
        results: list[Any] = []
        for step in steps:
            if isinstance(step, Settlement):
                results.append(finals.get(step.delivery.id))
            elif isinstance(step, Terms):
                results.append(await self._lease(connection, step))
            else:
                results.append(None)
        return results

    async def _others_have(self, connection: AsyncConnection, peers: Collection[str]) -> bool:
        """Whether what is next for one of *peers* is another node's to send."""
        if self._accounts is None or not peers or connection.dialect.name == "sqlite":
            return False
        given = {"aors": list(peers), "accounts": list(self._accounts)}
        return await connection.scalar(_DUE_ELSEWHERE, given) is not None

    async def _lease(self, connection: AsyncConnection, terms: Terms) -> Sequence[Delivery]:
        leased, for_others = await leasing.lease_due(connection, terms)
        if for_others:
            await wakeup.tell(connection, self._node)
        return leased
