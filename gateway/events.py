"""What happened, in the past tense, for outbound webhooks to tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase


class EventType(StrEnum):
    """What ``[[webhooks.endpoints]] events`` can name, globs included."""

    MESSAGE_RECEIVED = "message.received"
    MESSAGE_DELIVERED = "message.delivered"
    MESSAGE_RELAYED = "message.relayed"
    MESSAGE_FAILED = "message.failed"
    MESSAGE_EXPIRED = "message.expired"
    MESSAGE_CANCELED = "message.canceled"
    CALL_OUTGOING = "call.outgoing"
    CALL_INCOMING = "call.incoming"
    CALL_RINGING = "call.ringing"
    CALL_STARTED = "call.started"
    CALL_ENDED = "call.ended"
    """With its outcome: answered, missed, busy ..."""
    TEST = "test"
    """Sent on request to one endpoint, whatever that subscribed to."""


def matches(event_type: EventType, pattern: str) -> bool:
    """Whether the glob *pattern* names it."""
    return fnmatchcase(event_type, pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened."""

    id: str
    """``evt_...``"""
    type: EventType
    at: datetime
    data: Mapping[str, object]
    """As JSON; the message or call as REST shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """An endpoint and the events it wants."""

    endpoint: str
    """``whe_...``"""
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """Who wants what."""

    subscriptions: Sequence[Subscription] = ()

    def wanting(self, event_type: EventType) -> tuple[str, ...]:
        """The endpoints to tell."""
        return tuple(
            one.endpoint
            for one in self.subscriptions
            if any(matches(event_type, pattern) for pattern in one.patterns)
        )
