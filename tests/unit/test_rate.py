"""Rate limits by key."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.rate import MAX_KEYS, Rate, RateLimit

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def test_a_burst_is_let_through_then_the_rate_decides() -> None:
    limit = RateLimit(Rate.parse("2/3"))

    waits = [limit.take("101", NOW) for _ in range(4)]

    assert waits == [0, 0, 0, 0.5]


def test_time_fills_the_bucket_up_to_the_burst() -> None:
    limit = RateLimit(Rate.parse("2/3"))
    for _ in range(3):
        limit.take("101", NOW)

    waits = [limit.take("101", NOW + timedelta(minutes=5)) for _ in range(4)]

    assert waits == [0, 0, 0, 0.5]


def test_one_key_does_not_use_up_another_ones_share() -> None:
    limit = RateLimit(Rate.parse("1/1"))
    limit.take("101", NOW)

    assert limit.take("102", NOW) == 0
    assert limit.take("101", NOW) > 0


def test_an_empty_limit_is_none() -> None:
    limit = RateLimit(Rate.parse(""))

    assert {limit.take("101", NOW) for _ in range(1000)} == {0.0}


def test_a_clock_set_back_takes_nothing_away() -> None:
    limit = RateLimit(Rate.parse("1/2"))
    limit.take("101", NOW)

    assert limit.take("101", NOW - timedelta(hours=1)) == 0


def test_a_rate_of_zero_allows_only_the_burst() -> None:
    limit = RateLimit(Rate.parse("0/1"))
    limit.take("101", NOW)

    assert limit.take("101", NOW + timedelta(days=1)) > 0


@pytest.mark.parametrize("recent", [0, MAX_KEYS - 1], ids=["oldest", "newest"])
def test_many_keys_forget_the_least_recently_used_one(recent: int) -> None:
    limit = RateLimit(Rate.parse("0/1"))
    for key in range(MAX_KEYS):
        limit.take(str(key), NOW)
    limit.take("one more", NOW)

    forgotten = limit.take(str(recent), NOW) == 0

    assert forgotten == (recent == 0)
