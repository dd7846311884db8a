"""The flows put together over a real SQLite file, with fakes at the ports only."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry

from gateway.address import SipUri
from gateway.archive import Archived
from gateway.attempt import Attempts, Way
from gateway.config import DatabaseSettings
from gateway.delivery import DeliveryWorker, WorkerSettings
from gateway.errors import ConflictError, StorageUnavailable
from gateway.identity import AccountIdentity, IsOwnAddress, Sources, recognise
from gateway.inbound import Inbound, InboundSettings
from gateway.limits import KeyedLimit
from gateway.message import (
    Arrival,
    Delivery,
    InboundRequest,
    Message,
    MessageId,
    Settlement,
    Status,
    Submission,
    uuid7,
)
from gateway.metrics import Metrics
from gateway.outbox import OutboundRequest, Outbox
from gateway.patience import Patience
from gateway.ports import Responder
from gateway.refusals import Refusals
from gateway.retry import RetryPolicy
from gateway.store.audit import SqlCommandLog
from gateway.store.database import Database
from gateway.store.endings import Endings
from gateway.store.messages import SqlMessageStore
from gateway.store.nodes import SqlNodes
from gateway.store.search import SqlArchive
from tests.fakes import NOON, FakeClock, FakeResponder, FakeSender

BOT = AccountIdentity(
    name="bot",
    uri=SipUri.parse("sip:bot@office.example"),
    registered=True,
    next_hop="10.0.0.5:5060",
    proxied=True,
    contact_secret="5ecret",
    sources=Sources(hosts=frozenset({("10.0.0.5", 5060)})),
)
SHARED = replace(
    BOT,
    name="shared",
    uri=SipUri.parse("sip:100@office.example"),
    contact_secret="0ther",
    mode="record",
)
AT_ONCE = Patience(first=timedelta(milliseconds=1), longest=timedelta(milliseconds=1))


def request(text: str, sender: str = "101", /, **changes: object) -> InboundRequest:
    """A MESSAGE as the registrar routes it to the bot, unless *changes* say otherwise."""
    genuine = InboundRequest(
        id=MessageId(uuid7(NOON)),
        received_at=NOON,
        transport="UDP",
        source="10.0.0.5:5060",
        request_uri="sip:bot@10.0.0.9:5070;gw=5ecret",
        from_uri=f"sip:{sender}@office.example",
        from_tag="a",
        to_uri="sip:bot@office.example",
        call_id=f"{sender} {text}",
        cseq=1,
        content_type="text/plain",
        text=text,
    )
    return replace(genuine, **changes)  # type: ignore[arg-type]  # any of its fields


class ObservedStore(SqlMessageStore):
    """The store, telling what it leased or settled; away as often as a test says."""

    def __init__(
        self, *, database: Database, endings: Endings, wake: Callable[[], None]
    ) -> None:
        super().__init__(database=database, endings=endings, wake=wake)
        self.outages = 0
        self.lease_outages = 0
        self.inbound_outages = 0
        self.unacknowledged = 0
        """Commits after which the database goes away."""
        self.leasing = asyncio.Event()
        self.leasing.set()
        self.settlements: asyncio.Queue[Settlement] = asyncio.Queue()
        self.leases: asyncio.Queue[Delivery] = asyncio.Queue()

    async def add_inbound(self, arrivals: Sequence[Arrival]) -> Sequence[Message]:
        if self.inbound_outages:
            self.inbound_outages -= 1
            raise StorageUnavailable("the database is away")
        return await super().add_inbound(arrivals)

    async def lease_due(
        self, now: datetime, lease: timedelta, limit: int, per_destination: int
    ) -> Sequence[Delivery]:
        if self.lease_outages:
            self.lease_outages -= 1
            raise StorageUnavailable("the database is away")
        deliveries = await super().lease_due(now, lease, limit, per_destination)
        for delivery in deliveries:
            self.leases.put_nowait(delivery)
        await self.leasing.wait()
        return deliveries

    async def leased(self) -> Delivery:
        async with asyncio.timeout(5):
            return await self.leases.get()

    async def settle(self, settlement: Settlement) -> Status | None:
        self._fail()
        final = await super().settle(settlement)
        self.settlements.put_nowait(settlement)
        self._lose_acknowledgement()
        return final

    async def settle_inbound(
        self, message_id: MessageId, replies: Sequence[Submission]
    ) -> None:
        self._fail()
        await super().settle_inbound(message_id, replies)
        self._lose_acknowledgement()

    async def settled(self) -> Settlement:
        async with asyncio.timeout(5):
            return await self.settlements.get()

    def _lose_acknowledgement(self) -> None:
        if self.unacknowledged:
            self.unacknowledged -= 1
            raise ConflictError("the store has it already")

    def _fail(self) -> None:
        if self.outages:
            self.outages -= 1
            raise StorageUnavailable("the database is away")


class ObservedArchive(SqlArchive):
    """The archive, telling that it was looked into."""

    def __init__(self, *, database: Database) -> None:
        super().__init__(database=database)
        self.looked = asyncio.Event()

    async def get(self, message_id: MessageId) -> Archived | None:
        found = await super().get(message_id)
        self.looked.set()
        return found


@dataclass(kw_only=True)
class Cast:
    """What a test may replace."""

    clock: FakeClock = field(default_factory=FakeClock)
    sender: FakeSender = field(default_factory=FakeSender)
    responder: Responder = field(default_factory=FakeResponder)
    worker_settings: WorkerSettings = field(
        default_factory=lambda: WorkerSettings(grace=timedelta(), patience=AT_ONCE)
    )
    node: str = ""
    untrusted_source: str = ""
    is_own_address: IsOwnAddress = field(default=lambda _: False)


class Stage:
    """One gateway without its SIP, HTTP or phone."""

    def __init__(self, *, database: Database, cast: Cast) -> None:
        self.cast = cast
        self.clock, self.sender = cast.clock, cast.sender
        self.database = database
        woken = asyncio.Event()
        endings = Endings()
        self.store = ObservedStore(database=database, endings=endings, wake=woken.set)
        self.nodes = SqlNodes(database=database, clock=cast.clock)
        self.archive = ObservedArchive(database=database)
        self.audit = SqlCommandLog(
            database=database, metrics=Metrics(CollectorRegistry()), endings=endings
        )
        self.metrics = Metrics(CollectorRegistry())
        self.outbox = Outbox(
            queue=self.store,
            accounts=lambda: (BOT, SHARED),
            clock=cast.clock,
            message_ttl=timedelta(hours=72),
        )
        way = Way(cast.sender, RetryPolicy())
        self.worker = DeliveryWorker(
            queue=self.store,
            archive=self.archive,
            attempts=Attempts(
                by_scheme={"sip": way, "sips": way},
                clock=cast.clock,
                chance=lambda: 0.0,
                metrics=self.metrics,
            ),
            notice=self.outbox.notice,
            clock=cast.clock,
            woken=woken,
            settings=cast.worker_settings,
        )
        self.inbound = Inbound(
            inbox=self.store,
            responder=cast.responder,
            outbox=self.outbox,
            recognise=lambda r: recognise(r, (BOT, SHARED), cast.is_own_address),
            refusals=Refusals(
                audit=self.audit,
                verb_of=lambda text: text.partition(" ")[0] if "dial" in text else "",
                admission=KeyedLimit(rate=cast.untrusted_source, clock=cast.clock),
                remarks=KeyedLimit(rate="1/1", clock=cast.clock),
            ),
            metrics=self.metrics,
            settings=InboundSettings(grace=timedelta(), patience=AT_ONCE),
        )

    async def submit(self, to: str, text: str, **fields: object) -> Message:
        wanted = replace(
            OutboundRequest(to=to, text=text, origin="token:crm"),
            **fields,  # type: ignore[arg-type]  # any of its fields
        )
        submission = self.outbox.compose(wanted)
        await self.outbox.submit(submission)
        return submission.message

    async def status(self, message: Message) -> str:
        found = await self.archive.get(message.id)
        assert found is not None
        return found.message.status.value

    async def final(self, message: Message) -> Message:
        final = await self.worker.wait_final(message.id, 5)
        assert final is not None
        return final


@asynccontextmanager
async def staged(data_dir: Path, cast: Cast) -> AsyncIterator[Stage]:
    """A gateway with its database open, whose flows do not run yet."""
    opening = Database(settings=DatabaseSettings(), data_dir=data_dir, node=cast.node)
    async with opening as database:
        await database.prepare()
        yield Stage(database=database, cast=cast)


@asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[None]:
    """Both flows run, and are stopped as a killed gateway stops: with no grace."""
    flows = [
        asyncio.create_task(stage.inbound.run(), name="inbound"),
        asyncio.create_task(stage.worker.run(), name="delivery"),
    ]
    try:
        yield
        for flow in flows:
            assert not flow.done(), flow
    finally:
        for flow in flows:
            flow.cancel()
        await asyncio.gather(*flows, return_exceptions=True)
