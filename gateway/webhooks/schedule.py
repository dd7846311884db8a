"""What an endpoint's answer means for a webhook."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from gateway.webhook_delivery import WebhookDelivery, WebhookSettlement, WebhookState

SCHEDULE = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
)
"""How long after the attempt before it each attempt is made; the first at once."""
JITTER = 0.2
LONGEST_RETRY_AFTER = timedelta(hours=24)
GONE = 410

_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one attempt."""

    status_code: int | None
    """None: no answer."""
    reason: str
    retry_after: str = ""
    """The header (RFC 9110, section 10.2.3)."""


def judge(
    delivery: WebhookDelivery, answer: Answer, *, now: datetime, chance: float
) -> WebhookSettlement:
    """2xx is success, 410 the end of the endpoint, all else the next step; *chance*, 0 to 1."""
    wait = _wait(delivery.attempts + 1, answer, now, chance)
    code = answer.status_code
    if code is not None and 200 <= code < 300:
        state = WebhookState.DELIVERED
    elif code == GONE or wait is None:
        state = WebhookState.DEAD
    else:
        state = WebhookState.OPEN
    return WebhookSettlement(
        delivery=delivery,
        state=state,
        at=now,
        due_at=now + (wait or timedelta()),
        status_code=code,
        reason=answer.reason,
        disables=code == GONE,
    )


def _wait(attempts: int, answer: Answer, now: datetime, chance: float) -> timedelta | None:
    """Before the next attempt; None: *attempts* were all."""
    if attempts >= len(SCHEDULE):
        return None
    asked = min(_retry_after(answer.retry_after, now), LONGEST_RETRY_AFTER)
    return max(SCHEDULE[attempts], asked) * (1 + JITTER * chance)


def _retry_after(text: str, now: datetime) -> timedelta:
    """Seconds, or a date; nothing when it is neither."""
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=int(text))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # digits without end
        return timedelta()
    return max((at if at.tzinfo else at.replace(tzinfo=UTC)) - now, timedelta())
