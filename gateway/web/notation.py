"""Ids, times included, as clients write them in JSON."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from gateway.message import MESSAGE_ID_PREFIX, MessageId

_UUID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


def parse_time(value: object) -> datetime:
    """A time of RFC 3339, in UTC; raises ValueError saying what to write."""
    if isinstance(value, str) and _TIME.fullmatch(value):
        with suppress(ValueError, OverflowError):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    raise ValueError("must be a time of RFC 3339; write 2026-11-01T09:00:00Z")


def parse_moment(value: object) -> datetime:
    """A time of RFC 3339, or a day for its midnight in UTC; raises ValueError."""
    day = isinstance(value, str) and _DAY.fullmatch(value)
    try:
        return parse_time(f"{value}T00:00:00Z" if day else value)
    except ValueError as exc:
        raise ValueError(f"{exc}, or 2026-11-01 for midnight UTC; a + in a URL is %2B") from exc


def parse_message_id(text: str) -> MessageId | None:
    """Read ``msg_`` with a UUID, dashed or not; None for anything else."""
    prefix, number = text[: len(MESSAGE_ID_PREFIX)], text[len(MESSAGE_ID_PREFIX) :]
    if prefix != MESSAGE_ID_PREFIX or not _UUID.fullmatch(number):
        return None
    return MessageId(UUID(number))
