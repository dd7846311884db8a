"""The search for the highest sustained rate."""

import pytest

from gateway.bench.search import Bounds, highest_sustained

BOUNDS = Bounds(first=100, highest=6_400, precision=0.05)


@pytest.mark.parametrize(
    "capacity", [0, 37, 100, 101, 990, 6_399, 9_000], ids=lambda capacity: f"{capacity}"
)
async def test_the_rate_found_is_just_below_what_fails(capacity: int) -> None:
    async def trial(rate: int) -> bool:
        return rate <= capacity

    found = await highest_sustained(trial, BOUNDS)

    assert found <= capacity
    assert found >= min(capacity, BOUNDS.highest) * (1 - BOUNDS.precision) - 1


async def test_one_bad_moment_of_the_machine_does_not_count() -> None:
    tried: set[int] = set()

    async def fails_at_first(rate: int) -> bool:
        again = rate in tried
        tried.add(rate)
        return again and rate <= 400

    assert await highest_sustained(fails_at_first, BOUNDS) in range(380, 401)
