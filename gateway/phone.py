"""The sixteen verbs of MicroSIP: their arguments, results and states."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from gateway.address import SipUri
from gateway.caller import Caller
from gateway.errors import AddressError, InvalidRequest
from gateway.message import MessageId
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

_NUMBER = re.compile(r"[0-9*#+]{1,32}", re.ASCII)
_DIGITS = re.compile(r"[0-9A-D*#,]{1,64}", re.ASCII)
# No brackets and no escapes: %22 or %20 could come back to life behind the guard.
_SAFE_URI = re.compile(r"[A-Za-z0-9:@.;=\-_+*#~!]{1,128}", re.ASCII)
_SEPARATORS = str.maketrans("", "", "-.~!_")
_URI_SCHEMES = ("sip:", "sips:")
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
        raise _wrong(verb, "one argument, without spaces")
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
    if _NUMBER.fullmatch(word):
        return word
    return _uri(verb, word)


def _uri(verb: Verb, word: str) -> str:
    try:
        uri = SipUri.parse(word)
    except AddressError:
        uri = None
    if uri is None or not uri.user or not _SAFE_URI.fullmatch(word):
        raise _wrong(verb, "a number of 1 to 32 of 0-9 * # +, or a SIP URI")
    return str(uri)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRules:
    """The guard against toll fraud: which numbers may be dialled or transferred to."""

    allow: tuple[str, ...] = ("*",)
    deny: tuple[str, ...] = ("00*", "+*", "0900*")
    domains: frozenset[str] = frozenset()
    """The accounts' own domains: only these in a SIP URI, unless a pattern names the URI."""

    def refusal(self, number: str) -> str:
        """Why *number* may not be dialled; empty when it may."""
        names = {number}
        if number.startswith(_URI_SCHEMES):
            uri = SipUri.parse(number)
            if host := self._foreign_host(number, uri):
                return f"{host} is not an own domain; allow it in [phone] allow_numbers"
            names |= {uri.user}
        # A phone may leave out what only separates digits: 0-044 would dial 0044.
        dialled = names | {name.translate(_SEPARATORS) for name in names}
        for pattern in self.deny:
            if any(fnmatchcase(name, pattern) for name in dialled):
                return f"{pattern} is denied by [phone] deny_numbers"
        if not any(fnmatchcase(name, pattern) for name in names for pattern in self.allow):
            return "not in [phone] allow_numbers"
        return ""

    def _foreign_host(self, number: str, uri: SipUri) -> str:
        """The host the call would go to, when it is neither an own domain nor listed."""
        if any(fnmatchcase(number, p) for p in self.allow if p.startswith(_URI_SCHEMES)):
            return ""
        # RFC 3261, section 19.1.1; parsers differ in which of two they follow.
        hosts = [uri.host, *(value for name, value in uri.parameters if name == "maddr")]
        return next((host for host in hosts if host not in self.domains), "")


DIALLING = frozenset({Verb.DIAL, Verb.CALLTO, Verb.TRANSFER})
"""The verbs whose argument is a number: what NumberRules and calls_per_hour are for."""


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
