"""Rate limits: a token bucket for each key."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

MAX_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many *per_second* on average, *burst* at once."""

    per_second: float
    burst: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """``2/20`` as the configuration has it; None for ``""``: no limit."""
        if not text:
            return None
        per_second, _, burst = text.partition("/")
        return cls(float(per_second), int(burst))


@dataclass(frozen=True, slots=True)
class _Bucket:
    tokens: float
    filled_at: datetime


class RateLimit:
    """What each key may still take; a key not seen for a while may take a whole burst."""

    def __init__(self, rate: Rate | None) -> None:
        self._rate = rate
        self._buckets: dict[str, _Bucket] = {}

    def take(self, key: str, now: datetime) -> float:
        """Take one for *key*: 0 when it may, else the seconds until it may again."""
        if self._rate is None:
            return 0.0
        bucket = self._filled(key, self._rate, now)
        if bucket.tokens >= 1:
            self._keep(key, replace(bucket, tokens=bucket.tokens - 1))
            return 0.0
        self._keep(key, bucket)
        return (1 - bucket.tokens) / self._rate.per_second if self._rate.per_second else 3600.0

    def _filled(self, key: str, rate: Rate, now: datetime) -> _Bucket:
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            return _Bucket(float(rate.burst), now)
        passed = max(0.0, (now - bucket.filled_at).total_seconds())
        return _Bucket(min(float(rate.burst), bucket.tokens + passed * rate.per_second), now)

    def _keep(self, key: str, bucket: _Bucket) -> None:
        self._buckets[key] = bucket
        if len(self._buckets) > MAX_KEYS:  # the least recently used is the fullest
            del self._buckets[next(iter(self._buckets))]
