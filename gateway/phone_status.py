"""What is known of MicroSIP at a moment, each fact with its source."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from gateway.call import CallDirection

T = TypeVar("T")


class PhoneState(StrEnum):
    """Of MicroSIP's call."""

    UNKNOWN = "unknown"
    IDLE = "idle"
    RINGING = "ringing"
    DIALING = "dialing"
    ACTIVE = "active"
    HELD = "held"


CALL_UP = frozenset({PhoneState.DIALING, PhoneState.ACTIVE, PhoneState.HELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at MicroSIP through a channel shows; None: not that."""

    words: str | None = None
    """Its own Status string, by DDE."""
    states: frozenset[PhoneState] = frozenset()
    """All that its window shows; empty: it shows nothing that would be sure."""
    peer: str | None = None
    """Of the call that rings: hostile text."""
    number: str | None = None
    """In its number field while it has a call: whom it is with."""
    one_call: bool = False
    """It has a call, and takes no other beside it."""
    tab: str | None = None
    """Whose tab is selected: the one that hold and transfer are for. Hostile text."""
    muted: bool | None = None
    """The microphone."""
    speaker_muted: bool | None = None
    volume: int | None = None
    """Of the loudspeaker, 0 to 100."""
    mic_volume: int | None = None
    device: str | None = None
    """The sound device that was put into its settings last: ``input 1 (Headset)``."""


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """A fact, who told it and when."""

    value: T
    source: str
    """``dde``, ``simulated``, ``window``, ``hook``, ``ini`` or ``command``."""
    observed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneStatus:
    """What is known of MicroSIP now."""

    state: PhoneState
    raw: str = ""
    """MicroSIP's own words, shown when they hold no state word."""
    source: str
    """Who told the state."""
    observed_at: datetime
    peer: Seen[str] | None = None
    direction: Seen[CallDirection] | None = None
    since: Seen[datetime] | None = None
    """When the call began; when it was answered, once it is."""
    muted: Seen[bool] | None = None
    volume: Seen[int] | None = None
    mic_volume: Seen[int] | None = None
    input_device: Seen[str] | None = None
    output_device: Seen[str] | None = None
