"""The notation of ids, times included, in JSON."""

import re
from datetime import UTC, datetime
from uuid import UUID

from gateway.message import MESSAGE_ID_PREFIX, MessageId

_UUID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def rfc3339(at: datetime) -> str:
    """``2026-11-02T09:00:00.000Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_message_id(text: str) -> MessageId | None:
    """Read ``msg_`` with a UUID, dashed or not; None for anything else."""
    prefix, number = text[: len(MESSAGE_ID_PREFIX)], text[len(MESSAGE_ID_PREFIX) :]
    if prefix != MESSAGE_ID_PREFIX or not _UUID.fullmatch(number):
        return None
    return MessageId(UUID(number))
