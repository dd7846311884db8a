"""Calls of MicroSIP: what its event hooks tell, and the record made of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LONGEST_USER = 256
"""Characters of a user part that are kept: a caller chooses it."""

HOOK = "hook"
INI = "ini"
"""Who told of a call: MicroSIP's event hooks, ``[Calls]`` of microsip.ini."""


class CallEventKind(StrEnum):
    """An event hook of MicroSIP, ``[Settings] cmd...`` in microsip.ini."""

    OUTGOING = "outgoing"
    """An INVITE was sent."""
    INCOMING = "incoming"
    """An INVITE came in; it may be turned away without ringing."""
    RING = "ring"
    ANSWER = "answer"
    """An incoming call was answered; START follows."""
    ANSWER_VIDEO = "answer-video"
    START = "start"
    """A call, in or out, is up."""
    BUSY = "busy"
    """The other side was busy or declined: 486, 600 or 603."""
    END = "end"
    """Any other end; also of a call that was never up."""

    @property
    def key(self) -> str:
        """Its name in ``[Settings]`` of microsip.ini."""
        return _KEYS[self]


_KEYS = {
    CallEventKind.OUTGOING: "cmdOutgoingCall",
    CallEventKind.INCOMING: "cmdIncomingCall",
    CallEventKind.RING: "cmdCallRing",
    CallEventKind.ANSWER: "cmdCallAnswer",
    CallEventKind.ANSWER_VIDEO: "cmdCallAnswerVideo",
    CallEventKind.START: "cmdCallStart",
    CallEventKind.BUSY: "cmdCallBusy",
    CallEventKind.END: "cmdCallEnd",
}


class CallDirection(StrEnum):
    INCOMING = "incoming"
    OUTGOING = "outgoing"


class CallOutcome(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    MISSED = "missed"
    """It rang here, and was not answered; it may have been declined."""
    BUSY = "busy"
    """The other side was busy or declined."""
    UNANSWERED = "unanswered"
    """It rang there, and was given up."""
    ELSEWHERE = "elsewhere"
    """Another device of this AOR answered it."""
    TURNED_AWAY = "turned_away"
    """It never rang: do not disturb, or a call from the same caller was up."""
    UNKNOWN = "unknown"
    """MicroSIP ended first, or nobody told of the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """What one run of an event hook told."""

    id: str
    """``evt_...``"""
    kind: CallEventKind
    user: str
    """The other side's user part as MicroSIP gives it: hostile text, at most 256 long."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, as far as hooks or ``[Calls]`` of microsip.ini tell."""

    id: str
    """``call_...``"""
    direction: CallDirection
    peer: str
    """The other side's number or user part: hostile text."""
    started_at: datetime
    """When it began to ring or was dialled."""
    rang_at: datetime | None = None
    """Of an incoming call that was not turned away."""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: CallOutcome | None = None
    """None while it lasts."""
    name: str = ""
    """As MicroSIP's contacts or the display name call the peer."""
    sources: tuple[str, ...] = ()
    """``hook``, ``ini``: who told of it."""
    record_key: str = ""
    """Of its record in ``[Calls]``, once that was seen; two of one key are one call."""
    node: str = ""
    """The gateway whose MicroSIP it is of, as the store knows it."""
