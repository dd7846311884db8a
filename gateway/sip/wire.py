"""The frames that the gateway and the SIP engine exchange: one JSON object a line."""

import json
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, get_type_hints


@dataclass(frozen=True, slots=True)
class Listener:
    """A transport to open; port 0 is any free one."""

    transport: str
    """``UDP``, ``TCP`` or ``TLS``."""
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """PEM files; without a certificate TLS is used outward only."""

    certificate: str = ""
    private_key: str = ""
    authorities: str
    """Who may have signed the certificate of a server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineAccount:
    """One SIP identity, as PJSIP needs it."""

    name: str
    uri: str
    registrar: str = ""
    """Empty: a local account."""
    proxy: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    expires: int = 120
    contact_parameters: str = field(default="", repr=False)
    """``;gw=SECRET``, appended to the URI of the Contact."""
    sends: bool = True


# --- commands: gateway -> engine ----------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """The first command: check the journal, then open the transports and the accounts."""

    journal: str
    journal_sync: str
    bind: str
    listeners: tuple[Listener, ...]
    accounts: tuple[EngineAccount, ...]
    tls: Tls | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send one MESSAGE; answered by Answered or Unsent with the same *id*."""

    id: int
    account: str
    to_uri: str
    target: str
    content_type: str
    body: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Take no more sends, wait this long for those in flight, unregister, end."""

    drain_seconds: float


Command = Open | Send | Stop


# --- reports: engine -> gateway -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """The transports are open, with these ports."""

    listeners: tuple[Listener, ...]


class Cause(StrEnum):
    """Why an engine cannot open."""

    JOURNAL_UNWRITABLE = "journal_unwritable"
    PORT_TAKEN = "port_taken"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class OpenFailed:
    """The engine opened nothing and ends; *detail* names the remedy."""

    cause: Cause
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The final response to Send *id*."""

    id: int
    status_code: int
    reason_phrase: str
    retry_after: int | None = None
    local: bool = False


@dataclass(frozen=True, slots=True)
class Unsent:
    """Send *id* could not be made: nothing left."""

    id: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What the registrar last said to an account."""

    account: str
    registered: bool
    status_code: int
    reason_phrase: str


@dataclass(frozen=True, slots=True)
class Journalled:
    """There are new rows in the journal."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something for the log."""

    text: str


Report = Opened | OpenFailed | Answered | Unsent | Registration | Journalled | Trouble
Frame = Command | Report

_FRAMES: dict[str, type[Frame]] = {
    frame.__name__: frame
    for frame in (
        Open,
        Send,
        Stop,
        Opened,
        OpenFailed,
        Answered,
        Unsent,
        Registration,
        Journalled,
        Trouble,
    )
}

_PLAIN: dict[Any, Any] = {
    **{hint: hint for hint in (str, int, bool, int | None)},
    float: float | int,  # JSON has one kind of number
}
_HINTS = {
    kind: {name: _PLAIN[hint] for name, hint in get_type_hints(kind).items() if hint in _PLAIN}
    for kind in _FRAMES.values()
}


_NAMES = {kind: tuple(one.name for one in fields(kind)) for kind in _FRAMES.values()}
_NESTED = {
    kind: tuple(name for name in names if name not in _HINTS[kind])
    for kind, names in _NAMES.items()
}
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=asdict)
_DECODER = json.JSONDecoder()


def encode(frame: Frame) -> bytes:
    """One line, its end included."""
    kind = type(frame)
    values = {name: getattr(frame, name) for name in _NAMES[kind]}
    return _ENCODER.encode({"frame": kind.__name__, **values}).encode("ascii") + b"\n"


def decode(line: bytes) -> Frame:
    """Read what ``encode`` wrote; raises ValueError for anything else."""
    try:
        values: dict[str, Any] = _DECODER.decode(line.decode("ascii"))
        kind = _FRAMES[values.pop("frame")]
        for name in _NESTED[kind]:
            values[name] = _value(name, values[name])
        frame = kind(**values)
        _check(frame)
    except (KeyError, TypeError, AttributeError, RecursionError) as exc:
        raise ValueError(f"no frame: {exc}") from exc
    return frame


def _check(frame: Frame) -> None:
    """Raises TypeError."""
    for name, hint in _HINTS[type(frame)].items():
        if not isinstance(getattr(frame, name), hint):
            raise TypeError(f"{name} of {type(frame).__name__}")


def _value(name: str, value: Any) -> Any:
    match name:
        case "listeners":
            return tuple(Listener(**item) for item in value)
        case "accounts":
            return tuple(EngineAccount(**item) for item in value)
        case "tls":
            return Tls(**value) if value else None
        case "cause":
            return Cause(value)
        case _:
            raise TypeError(name)
