"""A real server on a free port, the real store behind it."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from gateway.accounts import identity_of
from gateway.config import Account, DatabaseSettings, HookSource, Http, WebhookEndpoint
from gateway.hooks.receive import Hooks, HookSettings
from gateway.hooks.templates import TemplateSandbox
from gateway.limits import KeyedLimit
from gateway.message import Submission
from gateway.metrics import Metrics
from gateway.outbox import OutboundRequest, Outbox
from gateway.ports import Clock
from gateway.store.audit import SqlCommandLog
from gateway.store.calls import SqlCallLog
from gateway.store.database import Database
from gateway.store.hooks import SqlHookLog
from gateway.store.idempotency import SqlIdempotency
from gateway.store.messages import SqlMessageStore
from gateway.store.search import SqlArchive
from gateway.store.tokens import SqlTokens
from gateway.store.webhooks import SqlWebhookQueue
from gateway.web.access import Gate
from gateway.web.calls import Calls
from gateway.web.commands import Commands
from gateway.web.health import Watch
from gateway.web.history import History
from gateway.web.hook_deliveries import HookDeliveries
from gateway.web.hooks import HookInlet
from gateway.web.idempotency import OnceOnly
from gateway.web.messages import Messages
from gateway.web.phone import Phone
from gateway.web.refused_commands import RefusedCommands
from gateway.web.route import Resource, Scope
from gateway.web.server import Waits, WebServer
from gateway.web.webhooks import WebhookEndpoints
from tests.fakes import FakeClock
from tests.web.fakes import FakeCommander, FakePhone, FakeProbe, FakeWait
from tests.webhook_receiver import SECRET as WEBHOOK_SECRET

SECRET = "hook-secret"
ALL = "all"
SOURCES = (
    HookSource(key="plain", secret=SecretStr(SECRET), to=("sip:101@office.example",)),
    HookSource(
        key="alerts",
        format="alertmanager",
        secret=SecretStr(SECRET),
        to=("101", "sip:102@office.example"),
    ),
    HookSource(key="open", to=("101",)),
    HookSource(key="shaped", to=("101",), template="{{ host }} is {{ state }}"),
    HookSource(key="broken", to=("101",), template="{{ nothing.here }}"),
    HookSource(key="endless", to=("101",), template=(
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    )),
    HookSource(key="lost", to=("not an address",)),
)  # fmt: skip
ENDPOINTS = (
    WebhookEndpoint(
        url="https://crm.example/sip-events",
        secret=SecretStr(WEBHOOK_SECRET),
        events=("message.received", "call.*"),
    ),
    WebhookEndpoint(
        url="http://10.0.0.7/hook", secret=SecretStr(WEBHOOK_SECRET), private_networks=True
    ),
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the server."""

    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """Of a problem document, which it must be."""
        assert self.headers["Content-Type"].startswith("application/problem+json")
        document = self.json
        assert document["status"] == self.status
        assert document["type"] == f"urn:sip-gateway:problem:{document['code']}"
        assert document["title"]
        assert document["request_id"] == self.headers["X-Request-Id"]
        return str(document["code"])


class Api:
    """Requests with the token that may do everything, unless told otherwise."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = ALL,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Reply:
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._session.request(
            method, self.url + path, headers={**sent, **(headers or {})}, **options
        ) as response:
            return Reply(response.status, await response.text(), response.headers)

    async def get(self, path: str, **options: Any) -> Reply:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Reply:
        return await self.request("POST", path, **options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A server's surroundings."""

    api: Api
    server: WebServer
    clock: FakeClock
    store: SqlMessageStore
    archive: SqlArchive
    command_log: SqlCommandLog
    call_log: SqlCallLog
    outbox: Outbox
    webhooks: SqlWebhookQueue
    phone: FakePhone
    commander: FakeCommander
    wait: FakeWait
    probe: FakeProbe
    woken: list[str]
    """What woke the delivery worker."""

    async def send(self, to: str = "101", text: str = "hello") -> str:
        """Queue a message past the server; its id."""
        submission = self.outbox.compose(OutboundRequest(to=to, text=text, origin="test"))
        await self.outbox.submit(submission)
        return f"msg_{submission.message.id}"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database that knows the tokens: made once, copied for each test."""
    folder = tmp_path_factory.mktemp("database")

    async def prepare() -> None:
        async with Database(settings=DatabaseSettings(), data_dir=folder) as database:
            await database.prepare()
            tokens = SqlTokens(database=database)
            await tokens.create_token(ALL, frozenset(Scope), ALL)
            for scope in Scope:
                await tokens.create_token(scope.value, frozenset({scope.value}), scope.value)

    asyncio.run(prepare())
    return folder


@pytest.fixture
async def database(empty_database: Path, tmp_path: Path) -> AsyncIterator[Database]:
    folder = tmp_path / "database"
    shutil.copytree(empty_database, folder)
    async with Database(settings=DatabaseSettings(), data_dir=folder) as opened:
        yield opened


def outbox_on(store: SqlMessageStore, clock: Clock) -> Outbox:
    """One bot account, at office.example."""
    account = identity_of(
        Account(name="bot", uri="sip:bot@office.example"),
        trusted=(),
        contact_secret="",
        addresses={},
    )
    return Outbox(
        queue=store,
        accounts=lambda: [account],
        clock=clock,
        message_ttl=timedelta(hours=72),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What is let through, as in ``[limits]``."""

    token: str = "1/50"
    hook: str = "1/3"


@pytest.fixture
def rates() -> Rates:
    return Rates()


@pytest.fixture
def waits() -> Waits:
    return Waits()


@asynccontextmanager
async def hooks_on(
    database: Database,
    outbox: Outbox,
    clock: Clock,
    wake: Callable[[], None],
    rate: str,
) -> AsyncIterator[Hooks]:
    """All of SOURCES."""

    def compose(
        *, to: str, text: str, origin: str, ttl: timedelta, tags: tuple[str, ...]
    ) -> Submission:
        return outbox.compose(
            OutboundRequest(to=to, text=text, origin=origin, ttl=ttl, tags=tags)
        )

    async with TemplateSandbox() as templates:
        yield Hooks(
            settings=HookSettings(
                sources=SOURCES, alert_ttl=timedelta(hours=1), local_only=True
            ),
            hook_log=SqlHookLog(database=database),
            compose=compose,
            templates=templates,
            limit=KeyedLimit(rate=rate, clock=clock),
            clock=clock,
            wake=wake,
        )


def server_on(
    database: Database,
    clock: Clock,
    metrics: Metrics,
    resources: Sequence[Resource],
    rate: str = "",
    waits: Waits | None = None,
) -> WebServer:
    """On a free port; *rate* is a token's."""
    return WebServer(
        http=Http(port=0),
        resources=resources,
        gate=Gate(
            tokens=SqlTokens(database=database), limit=KeyedLimit(rate=rate, clock=clock)
        ),
        once_only=OnceOnly(idempotency=SqlIdempotency(database=database), clock=clock),
        metrics=metrics,
        waits=waits or Waits(),
    )


@pytest.fixture
async def office(database: Database, rates: Rates, waits: Waits) -> AsyncIterator[Office]:
    clock, metrics, woken = FakeClock(), Metrics(CollectorRegistry()), list[str]()
    store = SqlMessageStore(database=database, wake=lambda: woken.append("message"))
    archive = SqlArchive(database=database)
    command_log = SqlCommandLog(database=database, metrics=Metrics(CollectorRegistry()))
    call_log = SqlCallLog(database=database)
    outbox = outbox_on(store, clock)
    webhooks = SqlWebhookQueue(database=database)
    phone, commander, wait, probe = FakePhone(), FakeCommander(), FakeWait(archive), FakeProbe()
    messages = Messages(
        outbox=outbox,
        queue=store,
        archive=archive,
        wait_final=wait,
        wake=lambda: woken.append("resend"),
        clock=clock,
    )
    async with (
        hooks_on(database, outbox, clock, lambda: woken.append("hook"), rates.hook) as hooks,
        ClientSession() as session,
    ):
        resources = (
            messages,
            History(archive=archive, clock=clock),
            Phone(call_control=phone, refused=RefusedCommands(audit=command_log, clock=clock)),
            Calls(call_log=call_log),
            Commands(commander=commander, command_log=command_log),
            HookInlet(hooks=hooks, metrics=metrics),
            HookDeliveries(hooks=hooks, hook_log=SqlHookLog(database=database)),
            WebhookEndpoints(
                endpoints=ENDPOINTS,
                queue=webhooks,
                wake=woken.extend,
                clock=clock,
            ),
            Watch(
                probes=(database, probe),
                queue_depth=store.queue_depth,
                webhooks_waiting=webhooks.webhooks_waiting,
                metrics=metrics,
            ),
        )
        async with server_on(database, clock, metrics, resources, rates.token, waits) as server:
            yield Office(
                api=Api(session, server.url),
                server=server,
                clock=clock,
                store=store,
                archive=archive,
                command_log=command_log,
                call_log=call_log,
                outbox=outbox,
                webhooks=webhooks,
                phone=phone,
                commander=commander,
                wait=wait,
                probe=probe,
                woken=woken,
            )


@pytest.fixture
def api(office: Office) -> Api:
    return office.api
