"""What a final response means for a delivery: the table of status codes as a function."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import assert_never

from gateway.message import (
    TEXT_PLAIN,
    Deferred,
    Delivered,
    Delivery,
    DeliveryId,
    Expired,
    Failed,
    FinalResponse,
    Outcome,
    Replaced,
    Status,
    uuid7,
)
from gateway.split import byte_length, split_text

SILENT_AFTER = timedelta(seconds=2)
"""A peer that is there has answered by then, though the request was lost twice (RFC 3261,
section 17.1.2.2). The attempt goes on for 30 s more, and keeps no other from being made."""

_BACKOFF = tuple(timedelta(seconds=s) for s in (2, 10, 30, 120, 300, 900, 1800))
# A peer that is away is tried every 30 s until 10 minutes are over: 25 steps are enough
# even when the jitter shortens each of them.
_AWAY = (*_BACKOFF[:2], *_BACKOFF[2:3] * 25, *_BACKOFF[3:])


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When to try again; the last step of each row repeats until the time to live ends."""

    backoff: tuple[timedelta, ...] = _BACKOFF
    away: tuple[timedelta, ...] = _AWAY
    busy: timedelta = timedelta(seconds=60)
    unknown_retry: timedelta = timedelta(seconds=30)
    """After the first 404 for a peer that was never seen."""
    jitter: float = 0.2
    """A step is shortened by up to this part of it; a Retry-After is stretched."""
    smaller_part: int = 300
    """Bytes of a part after a 413; a body that is no larger is not split again."""


class _Rule(Enum):
    """What a status code says of the far end."""

    DELIVERED = auto()
    REFUSED = auto()
    NO_MESSAGES = auto()
    OTHER_TYPE = auto()
    TOO_LARGE = auto()
    AWAY = auto()
    UNKNOWN_PEER = auto()
    NO_ANSWER = auto()
    BUSY = auto()
    UNAVAILABLE = auto()


_RULES = {
    404: _Rule.UNKNOWN_PEER,
    405: _Rule.NO_MESSAGES,
    406: _Rule.OTHER_TYPE,
    408: _Rule.NO_ANSWER,
    413: _Rule.TOO_LARGE,
    415: _Rule.OTHER_TYPE,
    430: _Rule.AWAY,
    480: _Rule.AWAY,
    486: _Rule.BUSY,
    488: _Rule.OTHER_TYPE,
    501: _Rule.NO_MESSAGES,
    513: _Rule.TOO_LARGE,
    603: _Rule.REFUSED,
    604: _Rule.REFUSED,
    606: _Rule.OTHER_TYPE,
}
# A code that is not understood is the x00 of its class (RFC 3261, section 8.1.3.2).
_CLASSES = {2: _Rule.DELIVERED, 5: _Rule.UNAVAILABLE, 6: _Rule.BUSY}


def decide(
    delivery: Delivery,
    response: FinalResponse,
    *,
    now: datetime,
    policy: RetryPolicy,
    chance: float,
) -> Outcome:
    """What *response* to an attempt at *delivery* means; *chance*, 0 to 1, is the jitter."""
    match rule := _rule(delivery, response.status_code):
        case _Rule.DELIVERED:
            return Delivered(response)
        case _Rule.REFUSED:
            return Failed(response)
        case _Rule.NO_MESSAGES:
            return Failed(response, remember=True)
        case _Rule.OTHER_TYPE:
            return _as_plain_text(delivery, response, now)
        case _Rule.TOO_LARGE:
            return _in_smaller_parts(delivery, response, now, policy.smaller_part)
        case _Rule.AWAY | _Rule.UNKNOWN_PEER | _Rule.NO_ANSWER | _Rule.BUSY | _Rule.UNAVAILABLE:
            wait = _wait(rule, delivery.attempts, response, policy, chance)
            return _later(rule, delivery, response, now, now + wait)
        case _:
            assert_never(rule)


def _rule(delivery: Delivery, code: int) -> _Rule:
    rule = _RULES.get(code) or _CLASSES.get(code // 100, _Rule.REFUSED)
    if rule is not _Rule.UNKNOWN_PEER:
        return rule
    # Stock registrars answer 404 for who is offline just as for who never existed.
    if delivery.peer_known:
        return _Rule.AWAY
    return _Rule.UNKNOWN_PEER if delivery.attempts == 0 else _Rule.REFUSED


def _wait(
    rule: _Rule, attempts: int, response: FinalResponse, policy: RetryPolicy, chance: float
) -> timedelta:
    if rule is _Rule.UNKNOWN_PEER:
        return policy.unknown_retry
    asked = response.retry_after or 0
    if asked > 0 and rule in {_Rule.BUSY, _Rule.UNAVAILABLE}:
        # Never sooner than asked for; a day at most, so that no number is too large.
        return timedelta(seconds=min(asked, 86400)) * (1 + policy.jitter * chance)
    if rule is _Rule.BUSY:
        return policy.busy * (1 - policy.jitter * chance)
    steps = policy.away if rule is _Rule.AWAY else policy.backoff
    return steps[min(attempts, len(steps) - 1)] * (1 - policy.jitter * chance)


def _later(
    rule: _Rule, delivery: Delivery, response: FinalResponse, now: datetime, step: datetime
) -> Outcome:
    """Deferred to the next *step*, or to the end of its time to live to be expired then."""
    if now >= delivery.expires_at:
        return Expired(response)
    status = Status.WAITING if rule is _Rule.AWAY else Status.RETRYING
    return Deferred(response, due_at=min(step, delivery.expires_at), status=status)


def _as_plain_text(delivery: Delivery, response: FinalResponse, now: datetime) -> Outcome:
    if delivery.content_type == TEXT_PLAIN:
        return Failed(response)
    return Replaced(response, (_successor(delivery, delivery.body, now),))


def _in_smaller_parts(
    delivery: Delivery, response: FinalResponse, now: datetime, max_bytes: int
) -> Outcome:
    if byte_length(delivery.body) <= max_bytes:
        return Failed(response)
    parts = split_text(delivery.body, max_bytes)
    return Replaced(response, tuple(_successor(delivery, part, now) for part in parts))


def _successor(delivery: Delivery, body: str, now: datetime) -> Delivery:
    """A new delivery in *delivery*'s place: its part, its time to live, no attempts yet."""
    return replace(
        delivery,
        id=DeliveryId(uuid7(now)),
        body=body,
        content_type=TEXT_PLAIN,
        due_at=now,
        attempts=0,
    )
