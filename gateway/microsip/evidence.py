"""What MicroSIP's Status, before and after, says about a command."""

import re
from dataclasses import dataclass

from gateway.address import SipUri
from gateway.microsip.status_words import most_specific
from gateway.phone import PhoneCommand, Verb
from gateway.phone_status import CALL_UP, PhoneState


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at MicroSIP."""

    raw: str | None = None
    """Its own words; None: it reports no Status."""
    states: frozenset[PhoneState] = frozenset()
    """All that its words name."""
    gone: bool = False
    """There is no MicroSIP any more."""
    silent: bool = False
    """It did not answer this time."""

    @property
    def state(self) -> PhoneState:
        return most_specific(self.states)


_TURNS_IDLE = frozenset({Verb.HANGUP, Verb.TRANSFER})
_NEEDS_ANSWERED = frozenset({Verb.HOLD, Verb.TRANSFER, Verb.DTMF})
_NEEDS_CALL = _NEEDS_ANSWERED | {Verb.HANGUP}
_ANSWERED = frozenset({PhoneState.ACTIVE, PhoneState.HELD})
_NEEDS_RINGING = frozenset({Verb.ANSWER, Verb.REJECT})
_TRANSITIONS = {
    Verb.ANSWER: {(PhoneState.RINGING, PhoneState.ACTIVE)},
    Verb.REJECT: {(PhoneState.RINGING, PhoneState.IDLE)},
    Verb.HOLD: {
        (PhoneState.ACTIVE, PhoneState.HELD),
        (PhoneState.HELD, PhoneState.ACTIVE),
    },
    Verb.DIAL: {
        (PhoneState.IDLE, PhoneState.DIALING),
        (PhoneState.IDLE, PhoneState.ACTIVE),
    },
    Verb.CALLTO: {
        (PhoneState.IDLE, PhoneState.DIALING),
        (PhoneState.IDLE, PhoneState.ACTIVE),
    },
}
_SETTINGS = {
    Verb.VOLUME: re.compile(r"(?<!mic )(?<!mic)(?<!microphone )\bvol(?:ume)?\b\W{0,3}(\d+)"),
    Verb.MICVOLUME: re.compile(r"\bmic(?:rophone)?[ _-]?(?:vol(?:ume)?)?\b\W{0,3}(\d+)"),
    Verb.MUTE: re.compile(r"\b(unmuted|muted|mute\s*[:=]\s*\w+)\b"),
}
_SETTINGS |= {Verb.VOLUP: _SETTINGS[Verb.VOLUME], Verb.VOLDOWN: _SETTINGS[Verb.VOLUME]}
NOT_REPORTED = frozenset({Verb.DTMF, Verb.DEVICE, *_SETTINGS})
"""The verbs whose effect a Status string shows only if it carries the value."""


def precondition(command: PhoneCommand, before: Observation) -> str:
    """Why the phone's known state forbids *command*, and what to do; empty: it does not."""
    if not before.states:
        return ""
    if command.verb in _NEEDS_RINGING and PhoneState.RINGING not in before.states:
        return "no call: nothing is ringing"
    if command.verb in _NEEDS_CALL and not before.states & CALL_UP:
        if PhoneState.RINGING in before.states:
            return "no call is up; the phone is ringing: type answer or reject first"
        return "no call is up; dial first"
    if command.verb in _NEEDS_ANSWERED and not before.states & _ANSWERED:
        return "no call is up yet; wait until it is answered"
    return ""


def effect(command: PhoneCommand, before: Observation, after: Observation) -> str:
    """The evidence that *command* was carried out; empty when nothing shows it."""
    if command.verb is Verb.CLOSE:
        return "MicroSIP is gone" if after.gone else ""
    if after.raw is None:
        return ""
    change = (before.state, after.state)
    if command.verb in _TURNS_IDLE:
        shown = after.state is PhoneState.IDLE and before.state is not PhoneState.IDLE
        return _arrow(change) if shown else ""
    if change in _TRANSITIONS.get(command.verb, ()):
        return _arrow(change)
    if command.verb in {Verb.DIAL, Verb.CALLTO} and _newly(command, before.raw, after.raw):
        return after.raw
    return _value_effect(command, before.raw or "", after.raw)


def may_still_show(command: PhoneCommand, before: Observation, after: Observation) -> bool:
    """Whether another look could bring the evidence that *after* does not hold."""
    if after.gone:
        return False
    if command.verb is Verb.CLOSE or after.silent:
        return True
    if command.verb in NOT_REPORTED:
        return _reading(command, (before.raw or "").lower()) is not None
    return after.raw is not None


def _arrow(change: tuple[PhoneState, PhoneState]) -> str:
    return f"{change[0]} -> {change[1]}"


def _newly(command: PhoneCommand, before: str | None, after: str) -> bool:
    """The number stands in the string, whole, and did not before."""
    names = {command.argument}
    if command.argument.startswith(("sip:", "sips:")):
        names.add(SipUri.parse(command.argument).user)
    pattern = "|".join(re.escape(name) for name in names)
    whole = re.compile(rf"(?<![\w*#+])(?:{pattern})(?![\w*#+])", re.IGNORECASE)
    return bool(whole.search(after)) and not whole.search(before or "")


def _value_effect(command: PhoneCommand, before: str, after: str) -> str:
    if command.verb not in NOT_REPORTED:
        return ""
    was, now = _reading(command, before.lower()), _reading(command, after.lower())
    if now is None:
        return ""
    match command.verb:
        case Verb.VOLUME | Verb.MICVOLUME:
            shown = int(now) == int(command.argument)
        case Verb.VOLUP:
            shown = was is not None and int(now) > int(was)
        case Verb.VOLDOWN:
            shown = was is not None and int(now) < int(was)
        case Verb.MUTE:
            shown = was is not None and now != was
        case Verb.DEVICE:
            shown = now == command.arguments[1]
        case _:
            shown = was is None
    return after if shown else ""


def _reading(command: PhoneCommand, raw: str) -> str | None:
    """What *raw* says about the thing that *command* sets."""
    if command.verb is Verb.DEVICE:
        pattern = re.compile(rf"\b{command.arguments[0]}\b\W{{0,3}}(\d+)")
    elif command.verb is Verb.DTMF:
        digits = re.escape(command.argument.lower())
        pattern = re.compile(rf"\bdtmf\b\W{{0,3}}({digits})(?![\w*#])")
    else:
        pattern = _SETTINGS[command.verb]
    match = pattern.search(raw)
    return match[1] if match else None
