"""What the words of MicroSIP's Status string say about a command."""

import re

from gateway.address import SipUri
from gateway.phone import PhoneCommand, Verb

_SETTINGS = {
    Verb.VOLUME: re.compile(r"(?<!mic )(?<!mic)(?<!microphone )\bvol(?:ume)?\b\W{0,3}(\d+)"),
    Verb.MICVOLUME: re.compile(r"\bmic(?:rophone)?[ _-]?(?:vol(?:ume)?)?\b\W{0,3}(\d+)"),
    Verb.MUTE: re.compile(r"\b(unmuted|muted|mute\s*[:=]\s*\w+)\b"),
}
_SETTINGS |= {Verb.VOLUP: _SETTINGS[Verb.VOLUME], Verb.VOLDOWN: _SETTINGS[Verb.VOLUME]}
NOT_REPORTED = frozenset({Verb.DTMF, Verb.DEVICE, *_SETTINGS})
"""The verbs whose effect is no call: a Status string shows it only if it carries the value."""


def newly_named(command: PhoneCommand, before: str | None, after: str) -> bool:
    """The number stands in the string, whole, and did not before."""
    pattern = "|".join(re.escape(name) for name in named(command.argument))
    whole = re.compile(rf"(?<![\w*#+])(?:{pattern})(?![\w*#+])", re.IGNORECASE)
    return bool(whole.search(after)) and not whole.search(before or "")


def named(number: str) -> frozenset[str]:
    """*number*, with the user part of a SIP URI."""
    if number.startswith(("sip:", "sips:")):
        return frozenset({number, SipUri.parse(number).user})
    return frozenset({number})


def word_effect(command: PhoneCommand, before: str, after: str) -> str:
    """*after*, where it carries the value that *command* sets, as *before* did not."""
    was, now = reading(command, before), reading(command, after)
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


def reading(command: PhoneCommand, raw: str) -> str | None:
    """What *raw* says about the thing that *command*, one of NOT_REPORTED, sets."""
    if command.verb is Verb.DEVICE:
        pattern = re.compile(rf"\b{command.arguments[0]}\b\W{{0,3}}(\d+)")
    elif command.verb is Verb.DTMF:
        digits = re.escape(command.argument.lower())
        pattern = re.compile(rf"\bdtmf\b\W{{0,3}}({digits})(?![\w*#])")
    else:
        pattern = _SETTINGS[command.verb]
    match = pattern.search(raw.lower())
    return match[1] if match else None
