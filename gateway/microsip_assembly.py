"""MicroSIP, put together: what drives it beside what follows its calls."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from gateway.accounts import Accounts
from gateway.call import CallEvent
from gateway.call_notice import CallNotices, NoticeSettings
from gateway.calls import Calls, CallSettings, CallSources
from gateway.clock import LocalZone, now
from gateway.config import Phone, Settings
from gateway.errors import InvalidRequest
from gateway.limits import KeyedLimit
from gateway.message import Submission
from gateway.microsip.api_log import ApiLog
from gateway.microsip.call_sources import call_sources, no_sources
from gateway.microsip.channels import choose_channel
from gateway.microsip.control import MicroSip
from gateway.microsip.hand_over_conf import hook_folder
from gateway.microsip.hook_listener import HookListener
from gateway.microsip.reading import FindSettings, Reading
from gateway.microsip.settings_file import settings_file
from gateway.microsip.settings_in_use import read_settings
from gateway.microsip.simulated import SimulatedChannel, Tell
from gateway.microsip.status_words import StatusWords
from gateway.numbers import NumberRules
from gateway.outbox import OutboundRequest, Outbox
from gateway.phone import Verb, parse_command
from gateway.ports import CallLog, Channel, CommandLog

NOTICES = "0.3/20"
"""To one recipient, per second / burst: as many as the chat answers a peer in a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroSipPorts:
    """What MicroSIP's commands are kept in, and its calls; who may be told of them."""

    command_log: CommandLog
    call_log: CallLog
    outbox: Outbox
    wake: Callable[[], None]
    """Tells the delivery worker that something is due."""
    accounts: Accounts


@asynccontextmanager
async def microsip(
    settings: Settings, ports: MicroSipPorts, *, demo: bool
) -> AsyncIterator[tuple[MicroSip, Calls]]:
    """While its hooks are listened to; what they tell waits for ``Calls.run``.

    Raises ConfigError when there is no way to listen.
    """
    rules = _number_rules(settings)
    calls = await _restored_calls(settings, ports, rules, demo=demo)
    folder = hook_folder(settings.data_dir)
    async with (
        choose_channel(settings.phone, demo=demo, clock=now, tell=calls.take) as channel,
        HookListener(folder=folder, take=_listening(calls, channel), clock=now),
    ):
        words = StatusWords(settings.phone.dde.status_words)
        phone = MicroSip(
            reading=Reading(
                channel=channel,
                words=words,
                clock=now,
                calls=calls,
                settings=_settings(settings.phone, demo=demo),
            ),
            command_log=ports.command_log,
            rules=rules,
            phone=settings.phone,
            api_log=ApiLog(settings.data_dir),
            clock=now,
            sleep=asyncio.sleep,
        )
        yield phone, calls


def _keeps_files(phone: Phone, *, demo: bool) -> bool:
    """Whether it is a MicroSIP, whose settings and calls are in files of this PC."""
    return not demo and phone.driver not in {"simulated", "none"}


def _settings(phone: Phone, *, demo: bool) -> FindSettings | None:
    if not _keeps_files(phone, demo=demo):
        return None
    return lambda: read_settings(settings_file(phone.executable), now())


def _number_rules(settings: Settings) -> NumberRules:
    return NumberRules(
        allow=settings.phone.allow_numbers,
        deny=settings.phone.deny_numbers,
        domains=frozenset(account.domain for account in settings.sip.accounts),
        international_prefix=settings.phone.international_prefix,
    )


def _listening(calls: Calls, channel: Channel) -> Tell:
    """A simulated phone rings when a hook that is run by hand says so."""
    if not isinstance(channel, SimulatedChannel):
        return calls.take

    def take(event: CallEvent) -> None:
        calls.take(event)
        channel.play(event)

    return take


async def _restored_calls(
    settings: Settings, ports: MicroSipPorts, rules: NumberRules, *, demo: bool
) -> Calls:
    calls = Calls(
        call_log=ports.call_log,
        sources=_sources(settings.phone, demo=demo),
        notices=_notices(settings, ports, rules),
        clock=now,
        wake=ports.wake,
        settings=CallSettings(),
    )
    await calls.restore()
    return calls


def _sources(phone: Phone, *, demo: bool) -> CallSources:
    if not _keeps_files(phone, demo=demo):
        return no_sources()
    return call_sources(phone.executable, now)


def dialable(peer: str, rules: NumberRules) -> str:
    """What to dial to call *peer* back; empty when that is not possible, or not allowed."""
    try:
        number = parse_command(Verb.DIAL, (peer,)).argument
    except InvalidRequest:
        return ""
    return "" if rules.refusal(number) else number


def _notices(settings: Settings, ports: MicroSipPorts, rules: NumberRules) -> CallNotices:
    def compose(*, to: str, text: str, origin: str, ttl: timedelta) -> Submission:
        return ports.outbox.compose(OutboundRequest(to=to, text=text, origin=origin, ttl=ttl))

    return CallNotices(
        settings=NoticeSettings(
            recipients=settings.calls.notify,
            missed_ttl=settings.delivery.message_ttl,
            timezone=LocalZone(),
        ),
        compose=compose,
        own_aors=frozenset(account.aor for account in ports.accounts.identities()),
        number_of=lambda peer: dialable(peer, rules),
        limit=KeyedLimit(rate=NOTICES, clock=now),
    )
