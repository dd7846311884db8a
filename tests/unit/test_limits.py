"""The rate limit for each key."""

from datetime import timedelta

from gateway.limits import KeyedLimit
from tests.fakes import FakeClock


def test_a_burst_passes_then_the_rate_holds() -> None:
    clock = FakeClock()
    limit = KeyedLimit(rate="2/3", clock=clock)

    burst = [limit.allows("a") for _ in range(4)]
    clock.advance(timedelta(seconds=0.5))
    later = [limit.allows("a") for _ in range(2)]

    assert burst == [True, True, True, False]
    assert later == [True, False]


def test_one_key_does_not_take_from_another() -> None:
    limit = KeyedLimit(rate="1/1", clock=FakeClock())

    assert limit.allows("a")
    assert limit.allows("b")
    assert not limit.allows("a")


def test_an_idle_key_saves_no_more_than_a_burst() -> None:
    clock = FakeClock()
    limit = KeyedLimit(rate="5/2", clock=clock)
    limit.allows("a")

    clock.advance(timedelta(days=1))

    assert [limit.allows("a") for _ in range(3)] == [True, True, False]


def test_an_empty_rate_is_no_limit() -> None:
    limit = KeyedLimit(rate="", clock=FakeClock())

    assert all(limit.allows("a") for _ in range(1000))


def test_a_clock_set_back_takes_nothing_away() -> None:
    clock = FakeClock()
    limit = KeyedLimit(rate="1/2", clock=clock)
    limit.allows("a")

    clock.advance(timedelta(hours=-1))

    assert limit.allows("a")


def test_a_flood_of_keys_forgets_the_oldest() -> None:
    limit = KeyedLimit(rate="1/1", clock=FakeClock())
    limit.allows("first")

    for number in range(10_000):
        limit.allows(f"forged-{number}")

    assert limit.allows("first")
    assert not limit.allows("forged-9999")
