"""An outbound webhook: an event on its way to one endpoint."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class WebhookState(StrEnum):
    """Where a webhook stands."""

    OPEN = "open"
    """To be tried, or tried again."""
    DELIVERED = "delivered"
    """The endpoint answered 2xx."""
    DEAD = "dead"
    """Given up; it can be replayed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One event for one endpoint."""

    id: str
    """``whd_...``"""
    endpoint: str
    """``whe_...``"""
    event_id: str
    event_type: str
    body: str
    """The whole document, the same at each attempt."""
    state: WebhookState
    attempts: int
    """Finished ones so far."""
    due_at: datetime
    created_at: datetime
    settled_at: datetime | None = None
    status_code: int | None = None
    """Of the last answer; None: there was none."""
    reason: str = ""
    """Of the last attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettlement:
    """What one attempt made of a leased webhook."""

    delivery: WebhookDelivery
    state: WebhookState
    at: datetime
    due_at: datetime
    """The next attempt, while the state is open."""
    status_code: int | None
    reason: str
    disables: bool = False
    """Its endpoint is gone: nothing more is sent there until it is enabled again."""
