"""The stores, put together."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.clock import now
from gateway.config import Settings
from gateway.metrics import Metrics
from gateway.store.audit import SqlCommandLog
from gateway.store.calls import SqlCallLog
from gateway.store.database import Database
from gateway.store.endings import Endings
from gateway.store.hooks import SqlHookLog
from gateway.store.messages import SqlMessageStore
from gateway.store.nodes import SqlNodes
from gateway.store.search import SqlArchive
from gateway.webhook_assembly import OutboundWebhooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The database by its ports."""

    database: Database
    nodes: SqlNodes
    messages: SqlMessageStore
    archive: SqlArchive
    audit: SqlCommandLog
    calls: SqlCallLog
    hooks: SqlHookLog
    webhooks: OutboundWebhooks

    @classmethod
    def on(
        cls, database: Database, metrics: Metrics, settings: Settings, wake: Callable[[], None]
    ) -> "Stores":
        """*wake* tells the delivery worker that something is due."""
        webhooks = OutboundWebhooks.on(database, settings.webhooks, metrics)
        # A file has one gateway: what that cannot send is given up at once.
        senders = None if database.is_sqlite else _senders(settings)
        endings = Endings()
        return cls(
            database=database,
            nodes=SqlNodes(database=database, clock=now, accounts=senders),
            messages=SqlMessageStore(
                database=database,
                events=webhooks.events,
                endings=endings,
                accounts=senders,
                wake=wake,
            ),
            archive=SqlArchive(database=database),
            audit=SqlCommandLog(database=database, metrics=metrics, endings=endings),
            calls=SqlCallLog(database=database, events=webhooks.events),
            hooks=SqlHookLog(database=database),
            webhooks=webhooks,
        )


def _senders(settings: Settings) -> frozenset[str]:
    return frozenset(a.name for a in settings.sip.accounts if a.mode == "bot")
