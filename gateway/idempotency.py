"""Idempotency keys with what is stored under them."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's Idempotency-Key, scoped to token, method and path."""

    scope: str
    key: str


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """What the first request with a key was answered."""

    status: int
    body: str
    location: str = ""


class Claim(StrEnum):
    """What an idempotency key may mean, besides a response to replay."""

    CLAIMED = "claimed"
    IN_PROGRESS = "in_progress"
    MISMATCH = "mismatch"
