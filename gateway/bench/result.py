"""What a row of the benchmark found."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Figures with units in their names, such as ``p99_ms``; *rival* has what is compared."""

    text: str
    figures: Mapping[str, float]
    rival: str = ""
    ratio: float | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Nothing was measured, and why."""

    why: str


Result = Measured | LeftOut


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds, of many requests."""

    samples: Sequence[float] = field(repr=False)

    def percentile(self, percent: float) -> float:
        """The nearest rank, in milliseconds."""
        ordered = sorted(self.samples)
        rank = max(math.ceil(len(ordered) * percent / 100), 1)
        return 1000 * ordered[rank - 1]

    def measured(self) -> Measured:
        p50, p99 = self.percentile(50), self.percentile(99)
        return Measured(
            text=f"p50 {p50:.1f} ms, p99 {p99:.1f} ms",
            figures={"p50_ms": p50, "p99_ms": p99, "samples": len(self.samples)},
        )


def per_second(rate: float) -> str:
    return f"{rate:,.0f}/s"
