"""The composition root: builds the parts, starts them in order, stops them in reverse."""

import asyncio
import logging
import random
import secrets
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from importlib.metadata import entry_points
from types import TracebackType
from typing import Any

from prometheus_client import CollectorRegistry

from gateway.accounts import Accounts, resolve
from gateway.address import SipUri
from gateway.attempt import Attempts, Way
from gateway.chat.assembly import ChatPorts, ChatSettings, chat_router
from gateway.chat.plugins import load_plugins
from gateway.chat.router import Router
from gateway.clock import LocalZone, now
from gateway.config import ChatRule, Settings
from gateway.data_folder import DataFolder
from gateway.delivery import DeliveryWorker, WorkerSettings
from gateway.hooks.receive import Hooks, HookSettings
from gateway.hooks.templates import TemplateSandbox
from gateway.inbound import Inbound, InboundSettings
from gateway.limits import KeyedLimit
from gateway.message import Submission
from gateway.metrics import Metrics
from gateway.microsip.control import MicroSip
from gateway.microsip_assembly import MicroSipPorts, microsip
from gateway.nodes import Membership, MembershipSettings, start
from gateway.outbox import OutboundRequest, Outbox
from gateway.patience import Patience
from gateway.refusals import Refusals
from gateway.retry import RetryPolicy
from gateway.sip.user_agent import UserAgent
from gateway.store.database import Database
from gateway.store.idempotency import SqlIdempotency
from gateway.store.messages import SqlMessageStore
from gateway.store.tokens import SqlTokens
from gateway.store.wakeup import Wakeup
from gateway.store_assembly import Stores
from gateway.version import VERSION
from gateway.web.access import Gate
from gateway.web.calls import Calls
from gateway.web.commands import Commands
from gateway.web.health import Watch
from gateway.web.history import History
from gateway.web.hook_deliveries import HookDeliveries
from gateway.web.hooks import HookInlet
from gateway.web.idempotency import OnceOnly
from gateway.web.local import (
    TOKEN_NAME,
    LocalAccess,
    remove_local_access,
    token_name,
    write_local_access,
)
from gateway.web.messages import Messages
from gateway.web.phone import Phone
from gateway.web.refused_commands import RefusedCommands
from gateway.web.route import Scope
from gateway.web.server import WebServer, is_loopback

log = logging.getLogger(__name__)

Flow = Callable[[], Coroutine[Any, Any, None]]

PLUGINS = "gateway.plugins"
REMARKS = "0.05/3"
"""Log lines about unproven messages, of one source address."""


class Gateway:
    """One gateway on one data folder; ``run`` is its whole life."""

    def __init__(
        self, *, settings: Settings, demo: bool, announce: Callable[[str], None]
    ) -> None:
        """*announce* gets the one line that says it is ready, and where."""
        self._settings = settings
        self._demo = demo
        self._announce = announce
        self._metrics = Metrics(CollectorRegistry())
        self._due = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; raises GatewayError when it cannot start."""
        settings = self._settings
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(DataFolder(settings.data_dir))
            database = Database(
                settings=settings.database, data_dir=settings.data_dir, node=folder.node()
            )
            stores = Stores.on(
                await stack.enter_async_context(database),
                self._metrics,
                settings,
                self._due.set,
            )
            await stack.enter_async_context(database.claimed())
            await database.prepare()
            await start(stores.nodes, now())
            await _say_what_waits_for_others(stores.messages)
            contact_secrets = folder.contact_secrets(a.name for a in settings.sip.accounts)
            accounts = Accounts(
                sip=settings.sip, contact_secrets=contact_secrets, resolve=resolve
            )
            await accounts.refresh()
            outbox = self._outbox(stores, accounts)
            ports = MicroSipPorts(
                command_log=stores.audit,
                call_log=stores.calls,
                outbox=outbox,
                wake=self._due.set,
                accounts=accounts,
            )
            phone, calls = await stack.enter_async_context(
                microsip(settings, ports, demo=self._demo)
            )
            router = self._router(stores, accounts, outbox, phone)
            inbound = self._inbound(stores, accounts, outbox, router)
            user_agent = UserAgent(
                settings=settings.sip,
                data_dir=settings.data_dir,
                contact_secrets=contact_secrets,
                handler=inbound.receive,
                on_registered=partial(self._account_returned, stores),
                clock=now,
                metrics=self._metrics,
            )
            stack.push(partial(_forget_contacts, folder))
            await stack.enter_async_context(user_agent)
            worker = self._worker(stores, outbox, user_agent)
            hooks = await self._hooks(stack, stores, outbox)
            web = self._web(
                stores,
                hooks=hooks,
                outbox=outbox,
                worker=worker,
                commander=router,
                phone=phone,
                user_agent=user_agent,
            )
            await stack.enter_async_context(web)
            await self._let_cli_in(stack, stores, web)
            self._announce(self._ready_line(user_agent, web))
            flows = {
                **self._among_nodes(stores, inbound),
                "accounts": accounts.run,
                "delivery": worker.run,
                "inbound": inbound.run,
                "calls": calls.run,
                "webhooks": stores.webhooks.worker.run,
            }
            async with asyncio.TaskGroup() as tasks:
                for name, flow in flows.items():
                    tasks.create_task(flow(), name=name)

    def _among_nodes(self, stores: Stores, inbound: Inbound) -> dict[str, Flow]:
        membership = Membership(
            nodes=stores.nodes, answer=inbound.take, settings=MembershipSettings()
        )
        wakeup = Wakeup(database=stores.database, wake=self._due.set, patience=Patience())
        return {"node": membership.run, "wake-up": wakeup.run}

    def _outbox(self, stores: Stores, accounts: Accounts) -> Outbox:
        return Outbox(
            queue=stores.messages,
            accounts=accounts.identities,
            clock=now,
            message_ttl=self._settings.delivery.message_ttl,
        )

    def _router(
        self, stores: Stores, accounts: Accounts, outbox: Outbox, phone: MicroSip
    ) -> Router:
        chat = self._settings.chat
        if self._demo and not chat.rules and self._only_local():
            chat = chat.model_copy(update={"rules": (ChatRule(who=("*",), allow=("*",)),)})
        return chat_router(
            ChatPorts(
                call_control=phone,
                archive=stores.archive,
                call_log=stores.calls,
                submitter=outbox,
                audit=stores.audit,
                clock=now,
                timezone=LocalZone(),
            ),
            ChatSettings(
                chat=chat,
                sender_commands=self._settings.limits.sender_commands,
                own_aors=frozenset(a.aor for a in accounts.identities()),
                version=VERSION,
                international_prefix=self._settings.phone.international_prefix,
                plugins=load_plugins(entry_points(group=PLUGINS)),
            ),
        )

    def _only_local(self) -> bool:
        """Whether nobody but this machine can be proven: what ``--demo`` opens up for."""
        sip = self._settings.sip
        return not sip.trusted_sources and all(a.registrar is None for a in sip.accounts)

    def _inbound(
        self, stores: Stores, accounts: Accounts, outbox: Outbox, router: Router
    ) -> Inbound:
        return Inbound(
            inbox=stores.messages,
            responder=router,
            outbox=outbox,
            recognise=accounts.recognise,
            refusals=Refusals(
                audit=stores.audit,
                verb_of=router.verb_of,
                admission=KeyedLimit(rate=self._settings.limits.untrusted_source, clock=now),
                remarks=KeyedLimit(rate=REMARKS, clock=now),
            ),
            metrics=self._metrics,
            settings=InboundSettings(),
        )

    def _worker(self, stores: Stores, outbox: Outbox, user_agent: UserAgent) -> DeliveryWorker:
        way = Way(
            sender=user_agent,
            retry=RetryPolicy(unknown_retry=self._settings.delivery.unknown_retry),
        )
        return DeliveryWorker(
            queue=stores.messages,
            archive=stores.archive,
            attempts=Attempts(
                by_scheme={"sip": way, "sips": way},
                clock=now,
                chance=random.random,
                metrics=self._metrics,
            ),
            notice=outbox.notice,
            clock=now,
            woken=self._due,
            settings=WorkerSettings(concurrency=self._settings.delivery.concurrency),
        )

    async def _hooks(self, stack: AsyncExitStack, stores: Stores, outbox: Outbox) -> Hooks:
        def compose(
            *, to: str, text: str, origin: str, ttl: timedelta, tags: tuple[str, ...]
        ) -> Submission:
            return outbox.compose(
                OutboundRequest(to=to, text=text, origin=origin, ttl=ttl, tags=tags)
            )

        return Hooks(
            settings=HookSettings(
                sources=self._settings.hooks.sources,
                alert_ttl=self._settings.delivery.alert_ttl,
                local_only=is_loopback(self._settings.http.host),
            ),
            hook_log=stores.hooks,
            compose=compose,
            templates=await stack.enter_async_context(TemplateSandbox()),
            limit=KeyedLimit(rate=self._settings.limits.hook, clock=now),
            clock=now,
            wake=self._due.set,
        )

    def _web(
        self,
        stores: Stores,
        *,
        hooks: Hooks,
        outbox: Outbox,
        worker: DeliveryWorker,
        commander: Router,
        phone: MicroSip,
        user_agent: UserAgent,
    ) -> WebServer:
        return WebServer(
            http=self._settings.http,
            resources=(
                Messages(
                    outbox=outbox,
                    queue=stores.messages,
                    archive=stores.archive,
                    wait_final=worker.wait_final,
                    wake=worker.wake,
                    clock=now,
                ),
                History(archive=stores.archive, clock=now),
                Phone(
                    call_control=phone,
                    refused=RefusedCommands(audit=stores.audit, clock=now),
                ),
                Calls(call_log=stores.calls),
                Commands(commander=commander, command_log=stores.audit),
                HookInlet(hooks=hooks, metrics=self._metrics),
                HookDeliveries(hooks=hooks, hook_log=stores.hooks),
                stores.webhooks.endpoints,
                Watch(
                    probes=(stores.database, user_agent, phone, stores.webhooks.worker),
                    queue_depth=stores.messages.queue_depth,
                    webhooks_waiting=stores.webhooks.queue.webhooks_waiting,
                    metrics=self._metrics,
                ),
            ),
            gate=Gate(
                tokens=SqlTokens(database=stores.database),
                limit=KeyedLimit(rate=self._settings.limits.token, clock=now),
                node=stores.database.node,
            ),
            once_only=OnceOnly(idempotency=SqlIdempotency(database=stores.database), clock=now),
            metrics=self._metrics,
        )

    async def _let_cli_in(self, stack: AsyncExitStack, stores: Stores, web: WebServer) -> None:
        """Leave the address with a token where only this user's commands can read it."""
        secret = secrets.token_urlsafe(32)
        tokens = SqlTokens(database=stores.database)
        await tokens.replace_token(token_name(stores.database.node), frozenset(Scope), secret)
        await tokens.revoke_token(TOKEN_NAME)  # of a version that knew no nodes
        folder = self._settings.data_dir
        write_local_access(
            folder, LocalAccess(url=web.url, token=secret, fingerprint=web.fingerprint)
        )
        stack.callback(remove_local_access, folder)

    async def _account_returned(self, stores: Stores, account: str) -> None:
        await stores.messages.account_returned(account, now())
        self._due.set()

    def _ready_line(self, user_agent: UserAgent, web: WebServer) -> str:
        bind = self._settings.sip.bind
        opened = [item for item in user_agent.listeners if item.port]
        sip = ", ".join(f"{item.transport.lower()} {bind}:{item.port}" for item in opened)
        addresses = " ".join(str(SipUri.parse(a.uri)) for a in self._settings.sip.accounts)
        return (
            f"ready{' (MicroSIP is simulated)' if self._demo else ''}: {addresses} on SIP"
            f" {sip or '(no port is open, see /readyz)'}; HTTP {web.url}; data"
            f" {self._settings.data_dir}; a token: sip-gateway token create NAME --scope S"
        )


async def _say_what_waits_for_others(messages: SqlMessageStore) -> None:
    for account, waiting in (await messages.waiting_for_others()).items():
        log.warning(
            "the account %s is not of this gateway, deliveries that wait for it: %d; start the"
            " gateway that has it, or add it to [[sip.accounts]]",
            account,
            waiting,
        )


def _forget_contacts(
    folder: DataFolder,
    kind: type[BaseException] | None,
    _error: BaseException | None,
    _traceback: TracebackType | None,
) -> None:
    """After a clean stop, which is a cancellation, the accounts are unregistered."""
    if kind is None or kind is asyncio.CancelledError:
        folder.forget_contact_secrets()
