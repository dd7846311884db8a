"""The hours of a chat rule: ``mon-fri 08:00-18:00, sat 09:00-12:00``."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from gateway.errors import ConfigError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(
    r"""(?:(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))?)?\s*
        (?:(?P<opens>\d{1,2}:\d{2})-(?P<closes>\d{1,2}:\d{2}))?""",
    re.VERBOSE | re.ASCII,
)
_ALL_DAY = (time(), time())


@dataclass(frozen=True, slots=True)
class Span:
    """From *opens* to before *closes* on each of *days*; into the next day when not later."""

    days: frozenset[int]
    opens: time
    closes: time

    def __contains__(self, moment: datetime) -> bool:
        today = moment.weekday() in self.days
        at = moment.time()
        if self.opens < self.closes:
            return today and self.opens <= at < self.closes
        yesterday = (moment - timedelta(days=1)).weekday() in self.days
        return (today and at >= self.opens) or (yesterday and at < self.closes)


def parse_hours(text: str) -> tuple[Span, ...]:
    """Read *text*, empty for always; raises ConfigError saying what to write."""
    if not text.strip():
        return ()
    return tuple(_span(part.strip().lower(), text) for part in text.split(","))


def within(spans: tuple[Span, ...], moment: datetime) -> bool:
    """Whether local *moment* is in one of *spans*; no spans are always."""
    return not spans or any(moment in span for span in spans)


def _span(part: str, text: str) -> Span:
    match = _SPAN.fullmatch(part)
    try:
        if match is not None and part:
            return Span(_days(match), *_times(match))
    except ValueError:
        pass
    raise ConfigError(
        f'[[chat.rules]] hours = "{text}" cannot be read; '
        'write it as "mon-fri 08:00-18:00, sat 09:00-12:00"'
    )


def _days(match: re.Match[str]) -> frozenset[int]:
    if not match["first"]:
        return frozenset(range(7))
    first = _DAYS.index(match["first"])
    last = _DAYS.index(match["last"]) if match["last"] else first
    return frozenset((first + i) % 7 for i in range((last - first) % 7 + 1))


def _times(match: re.Match[str]) -> tuple[time, time]:
    return (_time(match["opens"]), _time(match["closes"])) if match["opens"] else _ALL_DAY


def _time(text: str) -> time:
    """``24:00`` is the midnight at the end of the day."""
    hour, _, minute = text.partition(":")
    return time() if text == "24:00" else time(int(hour), int(minute))
