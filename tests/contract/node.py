"""A gateway as far as the store sees it."""

from datetime import timedelta

from prometheus_client import CollectorRegistry

from gateway.address import Aor
from gateway.message import Message
from gateway.metrics import Metrics
from gateway.store.audit import SqlCommandLog
from gateway.store.calls import SqlCallLog
from gateway.store.database import Database
from gateway.store.endings import Endings
from gateway.store.messages import SqlMessageStore
from gateway.store.nodes import SqlNodes
from tests.contract.samples import ANNA, arrival, received
from tests.fakes import FakeClock

ENDED = timedelta(seconds=-1)


class Node:
    """One of those that share the database."""

    def __init__(self, database: Database) -> None:
        endings = Endings()
        self.store = SqlMessageStore(database=database, endings=endings)
        self.nodes = SqlNodes(database=database, clock=FakeClock())
        self.calls = SqlCallLog(database=database)
        self.audit = SqlCommandLog(
            database=database, metrics=Metrics(CollectorRegistry()), endings=endings
        )

    async def receives(self, text: str, peer: Aor = ANNA) -> Message:
        """A message that waits for its answer."""
        written = received(text, peer=peer)
        await self.store.add_inbound([arrival(written, needs_answer=True)])
        return written

    async def stops(self) -> None:
        """Its lease ends."""
        await self.nodes.renew(ENDED)
