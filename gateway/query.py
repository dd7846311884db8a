"""The history query: text -> HistoryQuery."""

from dataclasses import dataclass
from datetime import datetime

from gateway.message import Direction, Status

MAX_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """Which messages; every given condition must hold."""

    words: tuple[str, ...] = ()
    """Substrings of the text, any case; a phrase is one of them."""
    excluded: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    """Sent to or received from: an AOR, or a user part."""
    senders: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    direction: Direction | None = None
    statuses: frozenset[Status] = frozenset()
    tags: tuple[str, ...] = ()
    since: datetime | None = None
    """Inclusive."""
    until: datetime | None = None
    """Exclusive."""
    limit: int = 20
