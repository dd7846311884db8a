"""The SIP engine: the child process that owns PJSIP."""

import gc
import os
import signal
import sys
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import assert_never

import pjsua2 as pj

from gateway.sip.account import (
    PROBE_SECONDS,
    BuddyPool,
    Event,
    Final,
    Pager,
    SipAccount,
    Untrusted,
)
from gateway.sip.answer import answered, not_sent
from gateway.sip.journal.layout import JournalError
from gateway.sip.journal.writer import JournalWriter, flush
from gateway.sip.pipes import CommandReader, ReportWriter, private_stdout
from gateway.sip.polling import Polling
from gateway.sip.trace import Trace
from gateway.sip.transport import OpenError, SipEndpoint, listen
from gateway.sip.wire import (
    Cause,
    Journalled,
    Listener,
    Open,
    Opened,
    OpenFailed,
    Registration,
    Report,
    Send,
    Stop,
    Trouble,
    Unsent,
)

EX_TEMPFAIL = 75
TRACE_LEVEL = 4
REFUSED_SECONDS = 60
"""PJSIP itself does not ask a registrar again that said no."""
UNREGISTER_SECONDS = 2.0
COLLECT_SECONDS = 60
REMEMBERED_UNTRUSTED = 100

_RETRIED_BY_PJSIP = frozenset({408, 500, 502, 503, 504})


class TraceWriter(pj.LogWriter):
    """Hands PJSIP's log to the trace; what it holds is never printed."""

    def __init__(self, trace: Trace, report: Callable[[Report], None]) -> None:
        super().__init__()
        self._trace = trace
        self._report = report

    def write(self, entry: pj.LogEntry) -> None:
        try:
            self._trace.note(entry.msg)
        except Exception as exc:  # noqa: BLE001  pjsua2 would swallow it, the 200 would leave
            try:
                self._report(Trouble(f"cannot write the journal: {exc}"))
            finally:
                os._exit(EX_TEMPFAIL)


class Engine:
    """One PJSIP endpoint with its accounts; everything in it happens on one thread."""

    def __init__(
        self,
        *,
        settings: Open,
        trace: Trace,
        commands: CommandReader,
        report: ReportWriter,
    ) -> None:
        self._settings = settings
        self._trace = trace
        self._commands = commands
        self._report = report
        self._events: deque[Event] = deque()
        self._endpoint = SipEndpoint(self._events)
        self._writer = TraceWriter(trace, report)
        self._accounts: dict[str, SipAccount] = {}
        self._buddies = BuddyPool()
        self._untrusted: OrderedDict[str, None] = OrderedDict()
        self._in_flight: dict[int, tuple[Send, pj.IntVector]] = {}
        self._registered: set[str] = set()
        self._register_at: dict[str, float] = {}
        self._polling = Polling(woken=any(one.transport == "UDP" for one in settings.listeners))
        self._announced = 0
        self._stopping = False

    def open(self) -> None:
        """Raises OpenError."""
        self._endpoint.libCreate()
        self._endpoint.libInit(_endpoint_configuration(self._writer))
        settings = self._settings
        listeners = tuple(listen(self._endpoint, item, settings) for item in settings.listeners)
        self._endpoint.libStart()
        for identity in settings.accounts:
            account = SipAccount(identity, self._events, self._trace.wants_whole)
            try:
                account.open()
            except pj.Error as exc:
                detail = f"account {identity.name}: {exc.reason}; check its uri and registrar"
                raise OpenError(Cause.SETTINGS, detail) from exc
            self._accounts[identity.name] = account
        self._wake_through(listeners)
        self._report(Opened(listeners))

    def run(self) -> None:
        """Until a Stop has been carried out."""
        collect_at = time.monotonic() + COLLECT_SECONDS
        while True:
            self._turn()
            for command in self._commands.waiting():
                self._polling.busy(time.monotonic())
                match command:
                    case Send():
                        self._send(command)
                    case Stop(drain_seconds=seconds):
                        self._stop(seconds)
                        return
                    case Open():
                        raise ValueError("opened already")
                    case _:
                        assert_never(command)
            if time.monotonic() > collect_at:
                gc.collect()
                collect_at = time.monotonic() + COLLECT_SECONDS

    def close(self) -> None:
        """Accounts and buddies must outlive PJSIP, or a MESSAGE in flight aborts it."""
        # What the network had to be told, run() has told it: no 4 s for an absent registrar.
        self._endpoint.libDestroy(pj.PJSUA_DESTROY_NO_NETWORK)
        self._buddies.clear()
        self._accounts.clear()

    def _wake_through(self, listeners: tuple[Listener, ...]) -> None:
        bind = self._settings.bind
        host = "127.0.0.1" if ip_address(bind).is_unspecified else bind
        for listener in listeners:
            if listener.transport == "UDP":
                self._commands.wake((host, listener.port))

    def _unannounced(self) -> int:
        return self._trace.appended - self._announced

    def _turn(self) -> None:
        wait = self._polling.milliseconds(time.monotonic(), self._unannounced())
        self._endpoint.libHandleEvents(wait)
        self._drain_events()
        for account in self._accounts.values():
            account.refuse_calls()
        now = time.monotonic()
        for name in [name for name, due in self._register_at.items() if due <= now]:
            del self._register_at[name]
            self._accounts[name].register_now()
        if self._polling.announces(now, self._unannounced()):
            self._announced = self._trace.appended
            self._report(Journalled())

    def _drain_events(self) -> None:
        reports: list[Report] = []
        while self._events:
            match self._events.popleft():
                case Pager(whole_message=whole_message):
                    self._trace.complete(whole_message)
                case Final() as final:
                    reports += self._settle(final)
                case Registration() as registration:
                    self._registration(registration)
                    reports.append(registration)
                case Untrusted() as untrusted:
                    reports += self._trouble(untrusted)
        if reports:
            self._report(*reports)  # in one piece: the gateway wakes up once for it

    def _send(self, request: Send) -> None:
        account = self._accounts.get(request.account)
        if account is None or not account.settings.sends:
            self._report(Unsent(request.id, f"account {request.account} does not send"))
            return
        try:
            token = self._buddies.send(account, request)
        except pj.Error as exc:
            self._report(not_sent(request.id, exc.status, exc.reason))
        except TypeError:  # a lone surrogate in the text
            self._report(not_sent(request.id, 0, "the text is not Unicode"))
        else:
            self._in_flight[int(token.this)] = (request, token)
        # A status of a send that failed must not meet the next token at the same address.
        self._drain_events()

    def _settle(self, final: Final) -> Sequence[Report]:
        entry = self._in_flight.pop(final.token, None)
        if entry is None:
            return ()
        request, _ = entry
        answer = answered(
            request.id, final.status_code, final.reason_phrase, final.whole_message
        )
        if answer.local and request.account in self._registered:
            # Perhaps it is the registrar that is away: ask it, to know when it is back.
            self._register_at.setdefault(request.account, time.monotonic() + PROBE_SECONDS)
        return (answer,)

    def _registration(self, registration: Registration) -> None:
        name, code = registration.account, registration.status_code
        if registration.registered:
            self._registered.add(name)
            return
        self._registered.discard(name)
        if code not in _RETRIED_BY_PJSIP and code // 100 != 6 and not self._stopping:
            self._register_at[name] = time.monotonic() + REFUSED_SECONDS

    def _trouble(self, server: Untrusted) -> Sequence[Report]:
        """Once, not at each attempt."""
        if server.address in self._untrusted:
            return ()
        self._untrusted[server.address] = None
        if len(self._untrusted) > REMEMBERED_UNTRUSTED:
            self._untrusted.popitem(last=False)
        return (
            Trouble(
                f"the certificate of {server.address} is not accepted: {server.reason};"
                " it must be for the host in registrar or proxy, and signed by one of"
                " [sip] tls_ca"
            ),
        )

    def _stop(self, drain_seconds: float) -> None:
        self._stopping = True
        deadline = time.monotonic() + drain_seconds
        while self._in_flight and time.monotonic() < deadline:
            self._turn()
        self._register_at.clear()
        for name in self._registered:
            self._accounts[name].register_now(renew=False)
        deadline = time.monotonic() + UNREGISTER_SECONDS
        while self._registered and time.monotonic() < deadline:
            self._turn()


def _endpoint_configuration(writer: TraceWriter) -> pj.EpConfig:
    configuration = pj.EpConfig()
    configuration.uaConfig.threadCnt = 0
    configuration.uaConfig.userAgent = "sip-message-gateway"
    configuration.uaConfig.mwiUnsolicitedEnabled = False  # or anybody's NOTIFY is answered 200
    # No media: with an ioqueue of its own it had a thread that woke up 100 times a second.
    configuration.medConfig.hasIoqueue = False
    configuration.medConfig.threadCnt = 0
    log = configuration.logConfig
    log.writer = writer
    writer.__disown__()  # libDestroy deletes it
    log.level = log.consoleLevel = TRACE_LEVEL  # below this no trace, and no writer called
    log.msgLogging = 1
    log.decor = 0
    return configuration


def _serve(settings: Open, commands: CommandReader, report: ReportWriter) -> None:
    to_disk = flush if settings.journal_sync == "full" else None
    with JournalWriter(Path(settings.journal), flush=to_disk) as journal:
        trace = Trace(journal=journal, clock=lambda: datetime.now(UTC))
        engine = Engine(settings=settings, trace=trace, commands=commands, report=report)
        try:
            engine.open()
            engine.run()
        finally:
            engine.close()


def main() -> int:
    """Serve the gateway at the other end of standard input and output."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # they are meant for the gateway, which says Stop
    # PJSIP decodes the local time of each log entry, for which glibc looks at /etc/localtime.
    os.putenv("TZ", "UTC0")
    gc.disable()  # PJSIP's objects must not be collected on the thread that reads commands
    report = ReportWriter(private_stdout())
    commands = CommandReader(0)
    commands.start()
    settings = commands.first()
    try:
        _serve(settings, commands, report)
    except OpenError as exc:
        report(OpenFailed(exc.cause, exc.detail))
        return 1
    except JournalError as exc:
        detail = f"{exc}; free space or mend it, it is tried again"
        report(OpenFailed(Cause.JOURNAL_UNWRITABLE, detail))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
