"""What the call log is given to keep, or asked for."""

from dataclasses import dataclass
from datetime import datetime

from gateway.call import Call, CallDirection, CallEvent, CallOutcome
from gateway.events import Event
from gateway.message import Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCommit:
    """What is committed together when a call is new or changed."""

    call: Call
    cause: CallEvent | None = None
    """None: no hook told, as when nobody tells of an end."""
    events: tuple[Event, ...] = ()
    """For webhooks."""
    notices: tuple[Submission, ...] = ()
    """For the chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallQuery:
    """Which calls; every given condition must hold."""

    peer: str = ""
    direction: CallDirection | None = None
    outcome: CallOutcome | None = None
    since: datetime | None = None
    """Inclusive; of the call's start."""
    until: datetime | None = None
    """Exclusive."""
    limit: int = 50
