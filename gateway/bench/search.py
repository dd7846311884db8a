"""The search for the highest rate that is sustained."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

ATTEMPTS = 2
"""A rate is given up after so many failures: the machine has other work as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Where to look."""

    first: int
    highest: int
    precision: float


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known so far: *good* is sustained, *bad* (0: none yet) is not."""

    good: int = 0
    bad: int = 0

    def after(self, rate: int, *, sustained: bool) -> "Progress":
        return Progress(rate, self.bad) if sustained else Progress(self.good, rate)

    def next_rate(self, bounds: Bounds) -> int | None:
        """Doubled until one fails, then halfway; None when it is known well enough."""
        if not self.bad:
            following = min(2 * self.good or bounds.first, bounds.highest)
            return following if following > self.good else None
        if self.bad - self.good <= max(bounds.precision * self.bad, 1):
            return None
        return (self.good + self.bad) // 2


async def highest_sustained(trial: Callable[[int], Awaitable[bool]], bounds: Bounds) -> int:
    """0 when none was."""
    progress = Progress()
    while (rate := progress.next_rate(bounds)) is not None:
        sustained = False
        for _ in range(ATTEMPTS):
            sustained = sustained or await trial(rate)
        progress = progress.after(rate, sustained=sustained)
    return progress.good
