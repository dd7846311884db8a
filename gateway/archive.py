"""The history's pages: messages in their place in the archive."""

from dataclasses import dataclass

from gateway.address import Aor
from gateway.message import Message


@dataclass(frozen=True, slots=True)
class Archived:
    """A message with its place in the archive, which only rises."""

    archive_id: int
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Messages in the order asked for, and whether there are more beyond each end."""

    items: tuple[Archived, ...]
    has_next: bool
    has_previous: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page starts: beyond *archive_id*, forwards or *backwards* in the order."""

    archive_id: int
    backwards: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """All messages with one peer."""

    peer: Aor
    messages: int
    last: Archived
