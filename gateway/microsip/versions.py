"""What MicroSIP is sent by WM_COPYDATA for each verb, by its version."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, Self

from gateway.errors import InvalidRequest
from gateway.microsip.levels import LOUDEST, STEP, level, moves, silenced
from gateway.microsip.message_string import message_string
from gateway.phone import PhoneCommand, Verb
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look


class Version(NamedTuple):
    """Of MicroSIP."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """``3.22.3``, with or without a build number; None for anything else."""
        match = re.match(r"\s*(\d{1,5})\.(\d{1,5})\.(\d{1,5})(?!\d)", text, re.ASCII)
        return cls(*map(int, match.groups())) if match else None

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


OLDEST = Version(3, 20, 0)
"""Taken for granted where the version cannot be read: a newer MicroSIP understands it too."""
MORE_COMMANDS = Version(3, 21, 4)
"""The first known to decline a call by command; what 3.20.5 does not know, it dials."""

PING = "msip:"
"""Does nothing, and is dropped like any other while the SIP stack is down."""

WHOLE_SLIDER = LOUDEST // STEP
PAUSE = 1.0  # seconds for a comma, as MicroSIP takes for one in a dialled number
LONGEST_PAUSES = 10.0  # seconds in one command: meanwhile nobody else can hang up


@dataclass(frozen=True, slots=True)
class Text:
    """One string for MicroSIP."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Pause:
    """Between two strings."""

    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:g} s pause"


@dataclass(frozen=True, slots=True)
class CloseWindow:
    """MicroSIP ends with its main window; its X button only hides it."""

    def __str__(self) -> str:
        return "WM_CLOSE"


@dataclass(frozen=True, slots=True)
class Impossible:
    """This MicroSIP has no way to do it."""

    reason: str
    """Why, and what to do instead."""


Step = Text | Pause | CloseWindow
Plan = tuple[Step, ...] | Impossible
_Make = Callable[[PhoneCommand, Version, Look], Plan]

READ_FIRST = frozenset({Verb.MUTE, Verb.VOLUME, Verb.MICVOLUME})
"""The verbs whose steps depend on what the windows show."""
NOT_LOOKED = Look()

_NUMBER = re.compile(r"[0-9*#+]{1,32}", re.ASCII)
# A slash could start a switch, a space a message, a comma DTMF after the answer.
_URI = re.compile(r"sip:([A-Za-z0-9*#+._-]+@[A-Za-z0-9.-]+(?::[0-9]{1,5})?)", re.ASCII)
_ANY_URI = re.compile(r"sips?:[!-~]+", re.ASCII)
_DIGITS = re.compile(r"[0-9A-D*#,]{1,64}", re.ASCII)
_LEVEL = re.compile(r"[0-9]{1,2}|100", re.ASCII)
_DEVICE = re.compile(r"(input|output) [0-9]{1,3}", re.ASCII)
_NONE = re.compile("")


def plan(command: PhoneCommand, version: Version, look: Look = NOT_LOOKED) -> Plan:
    """The steps that carry out *command* on a MicroSIP that shows *look*.

    Only fixed strings, a number or digits are ever in them. ``parse_command`` let nothing
    else through; it is looked at again because MicroSIP would dial it, or worse.
    """
    make, expected = _PLANS[command.verb]
    if not expected.fullmatch(command.argument):
        raise InvalidRequest(f"{command.argument!r} cannot be an argument of {command.verb}")
    return _too_old(version) or make(command, version, look)


def plan_message(message: PhoneMessage, version: Version) -> Plan:
    """The one step by which MicroSIP sends *message* as its own user."""
    return _too_old(version) or (Text(message_string(message)),)


def _too_old(version: Version) -> Impossible | None:
    if version >= OLDEST:
        return None
    return Impossible(
        f"MicroSIP {version} is too old to be driven by its window; update it to 3.21.4"
    )


def describe(steps: Plan) -> str:
    """For the log: ``20 x msip:speakdown, 8 x msip:speakup``."""
    if isinstance(steps, Impossible):
        return "nothing"
    runs = [(step, len(list(run))) for step, run in groupby(steps)]
    return ", ".join(f"{times} x {step}" if times > 1 else f"{step}" for step, times in runs)


def _fixed(text: str) -> _Make:
    return lambda _command, _version, _look: (Text(text),)


def _to_number(prefix: str) -> _Make:
    def make(command: PhoneCommand, _version: Version, _look: Look) -> Plan:
        if _NUMBER.fullmatch(command.argument):
            return (Text(prefix + command.argument),)
        if uri := _URI.fullmatch(command.argument):
            return (Text(prefix + uri[1]),)
        return Impossible(
            "MicroSIP takes only sip:user@host here, of letters, digits and * # + . _ - ; "
            "leave out parameters, or type the number alone"
        )

    return make


def _reject(_command: PhoneCommand, version: Version, _look: Look) -> Plan:
    if version < MORE_COMMANDS:
        return Impossible(
            f"MicroSIP {version} cannot be told to reject a call; reject it there, or update "
            f"MicroSIP to {MORE_COMMANDS}"
        )
    return (Text("/hangupincoming"),)


def _mute(_command: PhoneCommand, version: Version, look: Look) -> Plan:
    # What toggles in 3.20.5 sets in 3.21.4: the other way round than it was seen.
    if version < MORE_COMMANDS:
        return (Text("msip:micmute"),)
    if look.muted is None:
        return (Text("msip:micmuteclick"),)
    return (Text("msip:micunmute" if look.muted else "msip:micmute"),)


def _dtmf(command: PhoneCommand, _version: Version, _look: Look) -> Plan:
    # MicroSIP plays what it is handed at once: a comma is no pause to it.
    runs = re.findall(r",+|[^,]+", command.argument.rstrip(","))
    if not runs:
        return Impossible("there is no digit in it; type: dtmf 123#")
    if PAUSE * command.argument.rstrip(",").count(",") > LONGEST_PAUSES:
        return Impossible(
            f"its pauses last more than {LONGEST_PAUSES:g} s; send the rest as another dtmf"
        )
    return tuple(
        Pause(PAUSE * len(run)) if run.startswith(",") else Text(f"/dtmf:{run}") for run in runs
    )


def _turned(text: str) -> _Make:
    return lambda command, _version, _look: (Text(text),) * int(command.argument)


def _set(slider: str) -> _Make:
    down, up = Text(f"msip:{slider}down"), Text(f"msip:{slider}up")

    def make(command: PhoneCommand, _version: Version, look: Look) -> Plan:
        wanted, stands = int(command.argument), level(command, look)
        if stands is None:
            return (down,) * WHOLE_SLIDER + (up,) * round(wanted / STEP)
        runs = moves(stands, wanted)
        if not runs and silenced(command, look):
            runs = (-1, 1) if stands else (1, -1)  # to where it stands, but heard
        return tuple(step for run in runs for step in abs(run) * (up if run > 0 else down,))

    return make


def _device(_command: PhoneCommand, _version: Version, _look: Look) -> Plan:
    return Impossible(
        "MicroSIP cannot be told to change its sound device while it runs; choose it in its "
        "settings"
    )


def _close(_command: PhoneCommand, _version: Version, _look: Look) -> Plan:
    return (CloseWindow(),)


_NUMBER_OR_URI = re.compile(f"{_NUMBER.pattern}|{_ANY_URI.pattern}", re.ASCII)
_PLANS: dict[Verb, tuple[_Make, re.Pattern[str]]] = {
    Verb.DIAL: (_to_number(""), _NUMBER_OR_URI),
    Verb.CALLTO: (_to_number("callto:"), _NUMBER_OR_URI),
    Verb.HANGUP: (_fixed("/hangupall"), _NONE),
    Verb.ANSWER: (_fixed("/answer"), _NONE),
    Verb.REJECT: (_reject, _NONE),
    Verb.HOLD: (_fixed("msip:hold"), _NONE),
    Verb.TRANSFER: (_to_number("/transfer:"), _NUMBER_OR_URI),
    Verb.DTMF: (_dtmf, _DIGITS),
    Verb.MUTE: (_mute, _NONE),
    Verb.VOLUP: (_turned("msip:speakup"), _LEVEL),
    Verb.VOLDOWN: (_turned("msip:speakdown"), _LEVEL),
    Verb.VOLUME: (_set("speak"), _LEVEL),
    Verb.MICVOLUME: (_set("mic"), _LEVEL),
    Verb.DEVICE: (_device, _DEVICE),
    Verb.STATUS: (_fixed(PING), _NONE),
    Verb.CLOSE: (_close, _NONE),
}
