"""The sixteen verbs of MicroSIP: their arguments, results and states."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.caller import Caller
from gateway.errors import InvalidRequest
from gateway.message import MessageId
from gateway.numbers import read_number
from gateway.phone_status import PhoneStatus


class Verb(StrEnum):
    """A phone command by its chat word; ``dde_name`` is MicroSIP's own."""

    DIAL = "dial"
    CALLTO = "callto"
    HANGUP = "hangup"
    ANSWER = "answer"
    REJECT = "reject"
    HOLD = "hold"
    TRANSFER = "transfer"
    DTMF = "dtmf"
    MUTE = "mute"
    VOLUP = "volup"
    VOLDOWN = "voldown"
    VOLUME = "volume"
    MICVOLUME = "micvolume"
    DEVICE = "device"
    STATUS = "status"
    CLOSE = "close"

    @property
    def dde_name(self) -> str:
        return _DDE_NAMES[self]

    @property
    def usage(self) -> str:
        """What to type: ``dial NUMBER``."""
        return f"{self.value} {_ARGUMENTS[self]}".rstrip()

    @classmethod
    def named(cls, word: str) -> "Verb | None":
        """The verb for a chat word or DDE name, in any case."""
        return _BY_NAME.get(word.lower())


_DDE_NAMES = {
    Verb.DIAL: "Dial",
    Verb.CALLTO: "CallTo",
    Verb.HANGUP: "Hangup",
    Verb.ANSWER: "Answer",
    Verb.REJECT: "Reject",
    Verb.HOLD: "Hold",
    Verb.TRANSFER: "Transfer",
    Verb.DTMF: "SendDTMF",
    Verb.MUTE: "Mute",
    Verb.VOLUP: "VolumeUp",
    Verb.VOLDOWN: "VolumeDown",
    Verb.VOLUME: "SetVolume",
    Verb.MICVOLUME: "SetMicVolume",
    Verb.DEVICE: "SetDevice",
    Verb.STATUS: "Status",
    Verb.CLOSE: "Close",
}
_BY_NAME = {v.value: v for v in Verb} | {n.lower(): v for v, n in _DDE_NAMES.items()}
_ARGUMENTS = {
    Verb.DIAL: "NUMBER",
    Verb.CALLTO: "NUMBER",
    Verb.HANGUP: "",
    Verb.ANSWER: "",
    Verb.REJECT: "",
    Verb.HOLD: "",
    Verb.TRANSFER: "NUMBER",
    Verb.DTMF: "DIGITS",
    Verb.MUTE: "",
    Verb.VOLUP: "1-10",
    Verb.VOLDOWN: "1-10",
    Verb.VOLUME: "0-100",
    Verb.MICVOLUME: "0-100",
    Verb.DEVICE: "input|output ID",
    Verb.STATUS: "",
    Verb.CLOSE: "",
}
_EXAMPLES = {"NUMBER": "1002", "DIGITS": "123#", "1-10": "3", "0-100": "40"}
_RANGES = {
    Verb.VOLUP: (1, 10),
    Verb.VOLDOWN: (1, 10),
    Verb.VOLUME: (0, 100),
    Verb.MICVOLUME: (0, 100),
}

_DIGITS = re.compile(r"[0-9A-D*#,]{1,64}", re.ASCII)
_DEVICE_ID = re.compile(r"[0-9]{1,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PhoneCommand:
    """A verb with its argument, checked: nothing hostile can be in it.

    *arguments* is empty, or one string, or for SetDevice two: ``("input", "3")``.
    """

    verb: Verb
    arguments: tuple[str, ...] = ()

    @property
    def argument(self) -> str:
        return " ".join(self.arguments)

    def __str__(self) -> str:
        return f"{self.verb} {self.argument}".rstrip()


def parse_command(verb: Verb, words: tuple[str, ...]) -> PhoneCommand:
    """Check *words* as the argument of *verb*; raises InvalidRequest saying what to type."""
    expected = _ARGUMENTS[verb]
    if not expected:
        if words:
            raise InvalidRequest(f"{verb} takes no argument; type: {verb}", pointer="/argument")
        return PhoneCommand(verb)
    if verb is Verb.DEVICE:
        return PhoneCommand(verb, _device(words))
    if len(words) != 1:
        raise _wrong(verb, "one argument, in quotation marks where it has spaces")
    return PhoneCommand(verb, (_checked(verb, words[0]),))


def _checked(verb: Verb, word: str) -> str:
    if verb in _RANGES:
        low, high = _RANGES[verb]
        if not re.fullmatch("[0-9]{1,3}", word, re.ASCII) or not low <= int(word) <= high:
            raise _wrong(verb, f"a whole number from {low} to {high}")
        return str(int(word))
    if verb is Verb.DTMF:
        if not _DIGITS.fullmatch(word.upper()):
            raise _wrong(verb, "1 to 64 of 0-9 A-D * # and , for a pause")
        return word.upper()
    try:
        return read_number(word)
    except InvalidRequest as exc:
        raise _wrong(verb, exc.detail) from exc


def _device(words: tuple[str, ...]) -> tuple[str, str]:
    if len(words) == 1:
        words = tuple(words[0].split(","))
    kind, number = words if len(words) == 2 else ("", "")
    if kind.lower() in {"input", "output"} and _DEVICE_ID.fullmatch(number):
        return kind.lower(), str(int(number))
    raise InvalidRequest(
        "device takes input or output, then a device number; type: device input 3",
        pointer="/argument",
    )


def _wrong(verb: Verb, what: str) -> InvalidRequest:
    example = _EXAMPLES[_ARGUMENTS[verb]]
    return InvalidRequest(f"{verb} takes {what}; type: {verb} {example}", pointer="/argument")


DIALLING = frozenset({Verb.DIAL, Verb.CALLTO, Verb.TRANSFER})
"""The verbs whose argument is a number: what NumberRules and calls_per_hour are for."""
TO_CONFIRM = frozenset({Verb.DEVICE, Verb.CLOSE})
"""The verbs that end or restart MicroSIP: carried out only for who says so twice."""


class CommandOutcome(StrEnum):
    """What is known to have become of a command."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    FAILED = "failed"
    REFUSED = "refused"


class Problem(StrEnum):
    """Why a command is not confirmed, by its code in problem documents."""

    NONE = ""
    INVALID = "invalid_request"
    NOT_ALLOWED = "not_allowed"
    NO_CALL = "phone_no_call"
    FAILED = "phone_failed"
    NOT_RUNNING = "phone_not_running"
    NOT_RESPONDING = "phone_not_responding"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneRequest:
    """A phone command with who asks for it."""

    command: PhoneCommand
    caller: Caller
    text: str
    """As it was typed."""
    message_id: MessageId | None = None
    """The inbound message that carries it; a command is run at most once for a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """What became of a phone command."""

    command_id: str
    """``cmd_...``"""
    command: PhoneCommand
    outcome: CommandOutcome
    problem: Problem = Problem.NONE
    evidence: str = ""
    """What was observed, for example ``idle -> dialing``."""
    detail: str = ""
    """For the user: why it is not confirmed and what to do."""
    channel: str = ""
    elapsed_ms: int = 0
    status: PhoneStatus | None = None
    """Of the verb Status, and after any command where it was read."""
    simulated: bool = False


class CommandState(StrEnum):
    """Of an audit entry: ``started`` is committed before the phone is touched."""

    STARTED = "started"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEntry:
    """One line of the audit: who asked for what, and what became of it."""

    id: str
    at: datetime
    who: str
    proof: str
    origin: str
    text: str
    verb: str
    argument: str = ""
    message_id: MessageId | None = None
    channel: str = ""
    state: CommandState = CommandState.STARTED
    outcome: CommandOutcome | None = None
    """None while started."""
    problem: Problem = Problem.NONE
    evidence: str = ""
    detail: str = ""
    elapsed_ms: int = 0
    node: str = ""
    """The gateway that took it, as the store knows it; its MicroSIP is the phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReply:
    """The answer to one command line."""

    id: str
    outcome: CommandOutcome
    lines: tuple[str, ...]
