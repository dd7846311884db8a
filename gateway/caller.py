"""Who asks: the caller of a command or request, however it came in."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.address import Aor


class Permission(StrEnum):
    """A class of commands that a rule or a token can allow."""

    PHONE_READ = "phone:read"
    PHONE_CONTROL = "phone:control"
    HISTORY_OWN = "history:own"
    HISTORY_ALL = "history:all"
    SEND = "send"
    ALERT = "alert"
    ADMIN = "admin"


class Origin(StrEnum):
    """The way a command came in."""

    SIP = "sip"
    REST = "rest"
    CLI = "cli"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who was proven to be who they say."""

    who: str
    """``sip:101@office.example`` or ``token:NAME``."""
    proof: str
    """How it is known, in words for the audit: ``contact parameter``, ``bearer token`` ..."""
    origin: Origin
    aor: Aor | None = None
    permissions: frozenset[Permission] | None = None
    """What a token's scopes allow; None: the chat rules decide."""
