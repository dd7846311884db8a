"""The notation of ids, times included, in JSON."""

import re
from datetime import UTC, datetime
from uuid import UUID

from gateway.message import MessageId

_UUID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MESSAGE_PREFIX = "msg_"


def rfc3339(at: datetime) -> str:
    """``2026-11-02T09:00:00.000Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message_id_text(message_id: MessageId) -> str:
    return f"{_MESSAGE_PREFIX}{message_id}"


def parse_message_id(text: str) -> MessageId | None:
    """Read ``msg_`` with a UUID, dashed or not; None for anything else."""
    prefix, number = text[: len(_MESSAGE_PREFIX)], text[len(_MESSAGE_PREFIX) :]
    if prefix != _MESSAGE_PREFIX or not _UUID.fullmatch(number):
        return None
    return MessageId(UUID(number))
