"""What MicroSIP's calls, before and after, say about a command."""

from collections.abc import Callable, Iterable
from datetime import datetime

from gateway.address import SipUri
from gateway.call import INI, Call, CallDirection, CallOutcome
from gateway.microsip.observation import Observation
from gateway.phone import PhoneCommand, Verb


def call_effect(
    command: PhoneCommand, before: Observation, after: Observation, since: datetime
) -> str:
    """The evidence in the calls that what was handed over at *since* was carried out."""
    if before.calls is None or after.calls is None:
        return ""
    match command.verb:
        case Verb.DIAL | Verb.CALLTO:
            return _dialled(command, before, after, since)
        case Verb.HANGUP | Verb.TRANSFER:
            return _ended(before.calls, after.calls, since)
        case Verb.ANSWER:
            return _answered(before.calls, after.calls, since)
        case Verb.REJECT:
            return _declined(before.calls, after.calls, since)
        case _:
            return ""


def begun(before: Observation, after: Observation) -> list[Call]:
    """The calls that are in *after* alone."""
    known = {call.id for call in before.calls or ()}
    return [call for call in after.calls or () if call.id not in known]


def spelled(number: str, prefix: str) -> dict[str, str]:
    """The ways in which MicroSIP writes whom it calls, each with what to say of it."""
    if number.startswith(("sip:", "sips:")):
        uri = SipUri.parse(number)
        return {uri.user: uri.user, f"{uri.user}@{uri.host}": f"{uri.user}@{uri.host}"}
    written = {number: number}
    if prefix:
        written[prefix + number] = f"{number}, as {prefix + number} with the dialling prefix"
    return written


def _dialled(
    command: PhoneCommand, before: Observation, after: Observation, since: datetime
) -> str:
    names = spelled(command.argument, before.prefix)
    for call in begun(before, after):
        outgoing = call.direction is CallDirection.OUTGOING
        # Of a new record it is enough that it may have begun then.
        earliest = since.replace(microsecond=0) if _rounded(call, call.started_at) else since
        if outgoing and call.peer in names and call.started_at >= earliest:
            return f"calls {names[call.peer]}"
    return ""


def _ended(before: Iterable[Call], after: Iterable[Call], since: datetime) -> str:
    """All that were up, and no other is."""
    up = [call for call in before if _is_up(call)]
    if not up or any(_is_up(call) for call in after):
        return ""
    over = _each(up, after, lambda call: call.ended_at, since)
    return f"the call with {over[0].peer} has ended" if len(over) == len(up) else ""


def _answered(before: Iterable[Call], after: Iterable[Call], since: datetime) -> str:
    ringing = [call for call in before if _rings(call)]
    for call in _each(ringing, after, lambda call: call.answered_at, since):
        return f"the call from {call.peer} is answered"
    return ""


def _declined(before: Iterable[Call], after: Iterable[Call], since: datetime) -> str:
    """All that rang; none was answered, here or elsewhere."""
    ringing = [call for call in before if _rings(call)]
    over = [
        call
        for call in _each(ringing, after, lambda call: call.ended_at, since)
        if call.answered_at is None and call.outcome is not CallOutcome.ELSEWHERE
    ]
    if not over or len(over) < len(ringing):
        return ""
    return f"the call from {over[0].peer} no longer rings"


def _each(
    calls: Iterable[Call],
    after: Iterable[Call],
    happened: Callable[[Call], datetime | None],
    since: datetime,
) -> list[Call]:
    """*calls* as they are in *after*, if it happened to them at *since* or later."""
    ids = {call.id for call in calls}
    found = [(call, happened(call)) for call in after if call.id in ids]
    return [call for call, at in found if at and at >= since and not _rounded(call, at)]


def _is_up(call: Call) -> bool:
    begun_here = call.direction is CallDirection.OUTGOING or call.answered_at is not None
    return begun_here and call.ended_at is None


def _rings(call: Call) -> bool:
    incoming = call.direction is CallDirection.INCOMING
    return incoming and call.answered_at is None and call.ended_at is None


def _rounded(call: Call, at: datetime) -> bool:
    """[Calls] of microsip.ini knows whole seconds only."""
    return INI in call.sources and not at.microsecond
