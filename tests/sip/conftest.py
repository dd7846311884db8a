"""A user agent with a real engine, and a handler that keeps what it is given."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from gateway.address import Aor
from gateway.config import Account, Sip
from gateway.errors import StorageUnavailable
from gateway.message import Delivery, DeliveryId, InboundRequest, MessageId
from gateway.metrics import Metrics
from gateway.sip.user_agent import UserAgent
from tests.sip.peer import HOST, Peer

SECRET = "gwsecret"
LOCAL = Account(name="bot", uri="sip:bot@127.0.0.1")


class Received:
    """The gateway's inbound handler: fails as often as it is told, then keeps."""

    def __init__(self) -> None:
        self.failures = 0
        self.requests: list[InboundRequest] = []
        self._arrived = asyncio.Condition()

    async def __call__(self, requests: Sequence[InboundRequest]) -> None:
        async with self._arrived:
            if self.failures:
                self.failures -= 1
                raise StorageUnavailable("the database is away")
            self.requests.extend(requests)
            self._arrived.notify_all()

    async def count(self, number: int, within: float = 10) -> Sequence[InboundRequest]:
        """Wait until at least *number* requests are there."""
        return await self._until(lambda: len(self.requests) >= number, within)

    async def all_of(self, call_ids: set[str], within: float = 10) -> Sequence[InboundRequest]:
        """Wait until the requests with *call_ids* are there."""
        return await self._until(
            lambda: call_ids <= {request.call_id for request in self.requests}, within
        )

    async def _until(
        self, condition: Callable[[], bool], within: float
    ) -> Sequence[InboundRequest]:
        async with asyncio.timeout(within), self._arrived:
            await self._arrived.wait_for(condition)
        return self.requests


class Returned:
    """Keeps the names of accounts whose registrar accepted them."""

    def __init__(self) -> None:
        self.accounts: asyncio.Queue[str] = asyncio.Queue()

    async def __call__(self, account: str) -> None:
        self.accounts.put_nowait(account)

    async def next(self, within: float = 10) -> str:
        async with asyncio.timeout(within):
            return await self.accounts.get()


def utc_now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def received() -> Received:
    return Received()


@pytest.fixture
def returned() -> Returned:
    return Returned()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
def make(
    data_dir: Path, received: Received, returned: Returned, metrics: Metrics
) -> Callable[..., AbstractAsyncContextManager[UserAgent]]:
    """Builds a user agent on free loopback ports; not started yet."""

    def user_agent(*accounts: Account, **settings: object) -> UserAgent:
        ports = {"bind": HOST, "udp_port": 0, "tcp_port": 0} | settings
        return UserAgent(
            settings=Sip.model_validate({**ports, "accounts": accounts or (LOCAL,)}),
            data_dir=data_dir,
            contact_secrets={"bot": SECRET},
            handler=received,
            on_registered=returned,
            clock=utc_now,
            metrics=metrics,
        )

    return user_agent


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with Peer() as peer:
        yield peer


@pytest.fixture
async def user_agent(
    make: Callable[..., UserAgent],
) -> AsyncIterator[UserAgent]:
    """With one local account."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(make())


def delivery(peer: Peer, **changed: object) -> Delivery:
    now = utc_now()
    fields: dict[str, object] = {
        "id": DeliveryId(uuid4()),
        "message_id": MessageId(uuid4()),
        "part": 1,
        "account": "bot",
        "peer": Aor(peer.uri),
        "to_uri": peer.uri,
        "target": peer.uri,
        "destination": f"{HOST}:{peer.port}",
        "body": "hi there",
        "due_at": now,
        "expires_at": now + timedelta(hours=1),
    }
    return Delivery(**{**fields, **changed})  # type: ignore[arg-type]  # a test's own fields
