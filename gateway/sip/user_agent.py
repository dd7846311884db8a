"""The gateway's SIP user agent: it sends, receives and registers by its engine process."""

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.config import Sip
from gateway.errors import AddressError, GatewayError, SendError, StorageUnavailable
from gateway.message import Delivery, FinalResponse
from gateway.metrics import Metrics
from gateway.ports import Clock, Health, InboundHandler
from gateway.sip.intake import Intake
from gateway.sip.opening import JOURNAL, open_command, over, usual_transport
from gateway.sip.supervisor import Supervisor
from gateway.sip.wire import (
    Answered,
    Cause,
    Journalled,
    Listener,
    Registration,
    Report,
    Send,
    Unsent,
)

log = logging.getLogger(__name__)

ANSWER_SECONDS = 70.0
"""Twice Timer F (RFC 3261, section 17.1.2.2): answering a 401 is a second transaction."""
DRAIN_SECONDS = 3.0

OnRegistered = Callable[[str], Awaitable[None]]
"""Called with an account's name each time its registrar accepts it after it did not."""


class UserAgent:
    """Sends through the engine, hands what it receives to *handler*.

    ``async with`` opens the ports, or raises ConfigError or AlreadyRunning. An unwritable
    journal is no error: no port is opened until it can be written, and ``health`` says so.
    """

    def __init__(
        self,
        *,
        settings: Sip,
        data_dir: Path,
        contact_secrets: Mapping[str, str],
        handler: InboundHandler,
        on_registered: OnRegistered,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._data_dir = data_dir
        self._contact_secrets = contact_secrets
        self._on_registered = on_registered
        self._metrics = metrics
        self._intake = Intake(journal=data_dir / JOURNAL, handler=handler, clock=clock)
        self._modes = {account.name: account.mode for account in settings.accounts}
        self._ids = itertools.count(1)
        self._in_flight: dict[int, asyncio.Future[FinalResponse]] = {}
        self._registrations: dict[str, Registration] = {}

    async def __aenter__(self) -> Self:
        opening = open_command(self._settings, self._data_dir, self._contact_secrets)
        self._transport = usual_transport(opening.listeners)
        self._metrics.in_flight.set_function(self._in_flight.__len__)
        self._supervisor = Supervisor(
            opening=opening,
            take=self._take,
            ended=self._engine_ended,
            starts=self._metrics.engine_starts,
        )
        self._tasks = await asyncio.TaskGroup().__aenter__()
        self._supervising = self._tasks.create_task(self._supervisor.run(), name="SIP engine")
        self._taking = self._tasks.create_task(self._intake.run(), name="journal intake")
        try:
            await self._supervisor.ready()
        except (GatewayError, asyncio.CancelledError) as exc:
            await self.__aexit__(type(exc), exc, exc.__traceback__)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Takes no more sends, waits for those in flight, unregisters.

        A send that was cancelled is not waited for: nobody wants its answer.
        """
        drain_seconds = DRAIN_SECONDS if self._in_flight else 0.0
        await self._supervisor.stop(self._supervising, drain_seconds=drain_seconds)
        self._taking.cancel()
        if not isinstance(error, asyncio.CancelledError):
            # A task group would wrap what is not its own.
            kind = error = traceback = None
        await self._tasks.__aexit__(kind, error, traceback)

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """The transports with their real ports, also where the settings say any."""
        return self._supervisor.listeners

    @property
    def udp_port(self) -> int | None:
        """None without UDP."""
        return self._port("UDP")

    @property
    def tcp_port(self) -> int | None:
        return self._port("TCP")

    @property
    def tls_port(self) -> int | None:
        return self._port("TLS")

    @property
    def engine_pid(self) -> int | None:
        return self._supervisor.pid

    @property
    def registrations(self) -> Mapping[str, Registration]:
        """What the registrars last said, by account; nothing yet: not in it."""
        return dict(self._registrations)

    async def send(self, delivery: Delivery) -> FinalResponse:
        """Sender.send; an account that may not send is a local 403."""
        if self._modes.get(delivery.account) != "bot":
            return FinalResponse(403, f"Account {delivery.account} Does Not Send", local=True)
        try:
            target = over(self._transport, delivery.target)
        except AddressError as exc:
            return FinalResponse(400, str(exc), local=True)
        ident = next(self._ids)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[FinalResponse] = loop.create_future()
        self._in_flight[ident] = answer
        deadline = loop.call_later(ANSWER_SECONDS, _give_up, answer)
        try:
            self._supervisor.tell(self._request(ident, delivery, target))
            return await answer
        finally:
            deadline.cancel()
            del self._in_flight[ident]

    async def health(self) -> Sequence[Health]:
        """Probe.health: the engine, the journal, each registration."""
        trouble = self._supervisor.trouble
        journal_ok = trouble is None or trouble.cause is not Cause.JOURNAL_UNWRITABLE
        detail = trouble.detail if trouble else "it is being started again"
        return [
            Health(
                "sip_engine",
                self._supervisor.is_open,
                f"pid {self.engine_pid}" if self._supervisor.is_open else detail,
            ),
            Health(
                "journal", journal_ok, "" if journal_ok else f"journal_unwritable: {detail}"
            ),
            *(
                self._registration_health(account.name)
                for account in self._settings.accounts
                if account.registrar
            ),
        ]

    def _port(self, transport: str) -> int | None:
        return {item.transport: item.port for item in self.listeners}.get(transport)

    def _registration_health(self, name: str) -> Health:
        state = self._registrations.get(name)
        part = f"registration:{name}"
        if state is None:
            return Health(part, ok=False, detail="no answer yet", required=False)
        detail = f"{state.status_code} {state.reason_phrase}"
        return Health(part, state.registered, detail, required=False)

    def _request(self, ident: int, delivery: Delivery, target: str) -> Send:
        return Send(
            id=ident,
            account=delivery.account,
            to_uri=delivery.to_uri,
            target=target,
            content_type=delivery.content_type,
            body=delivery.body,
        )

    def _take(self, report: Report) -> None:
        match report:
            case Answered(id=ident):
                response = FinalResponse(
                    report.status_code, report.reason_phrase, report.retry_after, report.local
                )
                if (answer := self._waiting(ident)) is not None:
                    answer.set_result(response)
            case Unsent(id=ident, detail=detail):
                if (answer := self._waiting(ident)) is not None:
                    answer.set_exception(SendError(detail, sent=False))
            case Registration():
                self._registration(report)
            case Journalled():
                self._intake.wake()
            case _:
                log.debug("no use for %s", report)

    def _waiting(self, ident: int) -> asyncio.Future[FinalResponse] | None:
        answer = self._in_flight.get(ident)
        return None if answer is None or answer.done() else answer

    def _registration(self, report: Registration) -> None:
        before = self._registrations.get(report.account)
        self._registrations[report.account] = report
        self._metrics.registered.labels(report.account).set(report.registered)
        if before is not None and before.registered == report.registered:
            return
        log.info("account %s: %s %s", report.account, report.status_code, report.reason_phrase)
        if report.registered:
            self._tasks.create_task(self._returned(report.account), name="registered")

    async def _returned(self, account: str) -> None:
        try:
            await self._on_registered(account)
        except StorageUnavailable as exc:
            log.warning("deliveries of %s wait for their next step: %s", account, exc)

    def _engine_ended(self) -> None:
        for answer in self._in_flight.values():
            if not answer.done():
                answer.set_exception(SendError("the SIP engine ended"))
        for name in self._registrations:
            self._metrics.registered.labels(name).set(0)
        self._registrations.clear()


def _give_up(answer: asyncio.Future[FinalResponse]) -> None:
    if not answer.done():
        answer.set_exception(SendError("the SIP engine did not report a response"))
