"""The hours of a chat rule."""

from datetime import datetime, timedelta

import pytest

from gateway.chat.hours import parse_hours, within
from gateway.errors import ConfigError

MONDAY = datetime(2026, 11, 2)  # noqa: DTZ001  local time, as a rule means it


def at(day: int, clock: str) -> datetime:
    hour, minute = clock.split(":")
    return MONDAY + timedelta(days=day, hours=int(hour), minutes=int(minute))


@pytest.mark.parametrize(
    ("hours", "day", "clock", "open_"),
    [
        pytest.param("", 6, "03:00", True, id="no hours are always"),
        pytest.param("mon-fri 08:00-18:00", 0, "08:00", True, id="opens"),
        pytest.param("mon-fri 08:00-18:00", 0, "07:59", False, id="before it opens"),
        pytest.param("mon-fri 08:00-18:00", 4, "17:59", True, id="last minute"),
        pytest.param("mon-fri 08:00-18:00", 4, "18:00", False, id="closed"),
        pytest.param("mon-fri 08:00-18:00", 5, "12:00", False, id="another day"),
        pytest.param("08:00-18:00", 6, "12:00", True, id="every day"),
        pytest.param("sat", 5, "23:59", True, id="a whole day"),
        pytest.param("sat", 6, "00:00", False, id="the day after"),
        pytest.param("fri-mon", 0, "12:00", True, id="over the week's end"),
        pytest.param("fri-mon", 1, "12:00", False, id="not between"),
        pytest.param("fri 22:00-06:00", 5, "05:59", True, id="over midnight"),
        pytest.param("fri 22:00-06:00", 5, "06:00", False, id="the morning after"),
        pytest.param("fri 22:00-06:00", 4, "05:00", False, id="not the morning before"),
        pytest.param("sun 22:00-06:00", 0, "01:00", True, id="over midnight to monday"),
        pytest.param("MON 18:00-24:00", 0, "23:59", True, id="till midnight"),
        pytest.param("MON 18:00-24:00", 1, "00:00", False, id="not longer"),
        pytest.param("mon 08:00-12:00, sat 09:00-10:00", 5, "09:30", True, id="the second"),
        pytest.param("mon 08:00-12:00, sat 09:00-10:00", 0, "12:30", False, id="neither"),
    ],
)
def test_a_moment_is_inside_or_outside(
    hours: str, day: int, clock: str, *, open_: bool
) -> None:
    assert within(parse_hours(hours), at(day, clock)) is open_


@pytest.mark.parametrize(
    "hours", ["always", "mon-fry 08:00-18:00", "mon 25:00-26:00", "mon 8-18", "mon,,tue", ","]
)
def test_hours_that_cannot_be_read_say_how_to_write_them(hours: str) -> None:
    with pytest.raises(ConfigError, match='write it as "mon-fri 08:00-18:00'):
        parse_hours(hours)
