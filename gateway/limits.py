"""A rate limit for each key, as a token bucket."""

import re
from collections import OrderedDict
from datetime import datetime

from gateway.ports import Clock

_MAX_KEYS = 10_000  # a flood from forged addresses must not become a leak


class KeyedLimit:
    """At most so many a second for each key, with bursts."""

    def __init__(self, *, rate: str, clock: Clock) -> None:
        """*rate* is ``per second/burst`` as in ``[limits]``; empty: no limit."""
        match = re.fullmatch(r"([\d.]+)/(\d+)", rate)
        self._per_second = float(match[1]) if match else 0.0
        self._burst = int(match[2]) if match else None
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def allows(self, key: str) -> bool:
        """Take one token of *key*, if there is one."""
        if self._burst is None:
            return True
        now = self._clock()
        tokens, since = self._buckets.pop(key, (float(self._burst), now))
        elapsed = max((now - since).total_seconds(), 0.0)
        tokens = min(tokens + elapsed * self._per_second, float(self._burst))
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > _MAX_KEYS:
            self._buckets.popitem(last=False)
        return allowed
