"""An inbound webhook as it came, with what was made of it."""

from dataclasses import dataclass
from datetime import datetime

from gateway.message import MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class HookDelivery:
    """An inbound webhook, kept as it came."""

    id: str
    """``hkd_...``"""
    source: str
    duplicate_key: str
    """The sender's own id of it; empty: never a duplicate."""
    received_at: datetime
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HookReceipt:
    """Which delivery holds the webhook, and the messages made of it."""

    delivery_id: str
    message_ids: tuple[MessageId, ...]
    duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HookEntry:
    """An inbound webhook in a list: without its body."""

    id: str
    source: str
    received_at: datetime
    content_type: str
    size: int
    """Bytes of the body."""
    message_ids: tuple[MessageId, ...]
