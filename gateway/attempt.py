"""One attempt at one delivery, by the way of its URI scheme."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from textwrap import shorten

from gateway.errors import SendError
from gateway.message import (
    Attempt,
    Deferred,
    Delivery,
    Expired,
    Failed,
    FinalResponse,
    Outcome,
    Settlement,
)
from gateway.metrics import Metrics
from gateway.ports import Clock, Sender
from gateway.retry import RetryPolicy, decide

log = logging.getLogger(__name__)

_REASON_CHARACTERS = 120

_NO_WAY = FinalResponse(416, "Unsupported URI Scheme", local=True)


@dataclass(frozen=True, slots=True)
class Way:
    """How to deliver to one URI scheme, and when to try again."""

    sender: Sender
    retry: RetryPolicy


class Attempts:
    """Makes them, by the ways out of the gateway."""

    def __init__(
        self,
        *,
        by_scheme: Mapping[str, Way],
        clock: Clock,
        chance: Callable[[], float],
        metrics: Metrics,
    ) -> None:
        """*chance* gives numbers from 0 to 1 for the jitter: ``random.random``."""
        self._by_scheme = by_scheme
        self._clock = clock
        self._chance = chance
        self._settled = cache(metrics.settled.labels)
        self._attempted = cache(metrics.attempts.labels)

    async def make(self, delivery: Delivery) -> Settlement:
        """Send *delivery*, unless that is pointless; what came of it."""
        settlement = await self._settlement(delivery)
        self._settled(type(settlement.outcome).__name__.lower()).inc()
        return settlement

    async def _settlement(self, delivery: Delivery) -> Settlement:
        now = self._clock()
        way = self._by_scheme.get(delivery.target.partition(":")[0].lower())
        if now >= delivery.expires_at:
            return Settlement(delivery=delivery, outcome=Expired(None), at=now)
        if delivery.peer_refuses:
            refusal = FinalResponse(
                delivery.peer_refuses, "The peer takes no MESSAGE (remembered)", local=True
            )
            return Settlement(delivery=delivery, outcome=Failed(refusal), at=now)
        if way is None:
            return Settlement(delivery=delivery, outcome=Failed(_NO_WAY), at=now)
        return await self._sent(delivery, way)

    async def _sent(self, delivery: Delivery, way: Way) -> Settlement:
        begun = self._clock()
        sent = True
        try:
            response = await way.sender.send(delivery)
        except SendError as exc:
            sent, response = exc.sent, _unanswered(exc)
        now = self._clock()
        outcome = decide(delivery, response, now=now, policy=way.retry, chance=self._chance())
        self._attempted(str(response.status_code)).inc()
        _report(delivery, response, outcome)
        attempt = Attempt(
            delivery_id=delivery.id,
            part=delivery.part,
            at=begun,
            response=response,
            elapsed_ms=round((now - begun).total_seconds() * 1000),
        )
        return Settlement(
            delivery=delivery, outcome=outcome, at=now, attempt=attempt, sent=sent
        )


def _unanswered(error: SendError) -> FinalResponse:
    """What it amounts to (RFC 3261, section 8.1.3.1); the reason says what it really was."""
    what = "no final response" if error.sent else "not sent"
    reason = shorten(f"{what}: {error}", _REASON_CHARACTERS, placeholder="...")
    return FinalResponse(408, reason, local=True)


def _report(delivery: Delivery, response: FinalResponse, outcome: Outcome) -> None:
    code, reason = response.status_code, response.reason_phrase
    what = f"{type(outcome).__name__.lower()} {delivery.label} to {delivery.peer}"
    if code in {401, 407}:
        # The stack has answered the challenge already: the credentials are wrong.
        log.error(
            "%s: %s %s; check username and password of account %s",
            what,
            code,
            reason,
            delivery.account,
        )
    elif isinstance(outcome, Deferred):
        log.info("%s: %s %s; again at %s", what, code, reason, outcome.due_at.isoformat())
    else:
        log.info("%s: %s %s", what, code, reason)
