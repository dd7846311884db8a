"""The history query: text -> HistoryQuery."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from typing import NamedTuple

from gateway.address import Aor, SipUri
from gateway.errors import AddressError, InvalidRequest
from gateway.message import Direction, Status

MAX_PAGE = 200
MAX_QUERY_LENGTH = 500
MAX_CONDITIONS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryQuery:
    """Which messages; every given condition must hold."""

    words: tuple[str, ...] = ()
    """Substrings of the text, any case; a phrase is one of them."""
    excluded: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    """Sent to or received from: an AOR, or a user part."""
    senders: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    direction: Direction | None = None
    statuses: frozenset[Status] = frozenset()
    tags: tuple[str, ...] = ()
    since: datetime | None = None
    """Inclusive."""
    until: datetime | None = None
    """Exclusive."""
    limit: int = 20


def parse_query(
    text: str, *, me: Aor | None, now: datetime, timezone: tzinfo = UTC
) -> HistoryQuery:
    """Read what was typed; raises InvalidRequest saying what to type instead.

    ``me`` stands for *me*; days begin at midnight in *timezone*.
    """
    if len(text) > MAX_QUERY_LENGTH:
        raise InvalidRequest(f"a query has at most {MAX_QUERY_LENGTH} characters; type fewer")
    if _UNUSABLE.search(text):
        raise InvalidRequest("a query has no control characters; type it again")
    conditions = [match for match in _CONDITION.finditer(text) if match[0]]
    if len(conditions) > MAX_CONDITIONS:
        raise InvalidRequest(f"a query has at most {MAX_CONDITIONS} words; type fewer")
    reading = _Reading(me, now.astimezone(timezone))
    query = HistoryQuery()
    for match in conditions:
        query = _narrowed(query, match, reading)
    return query


_UNUSABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_CONDITION = re.compile(
    r"""(?P<not>-)?
        (?:(?P<key>[A-Za-z]+):(?!//))?
        (?:"(?P<phrase>[^"]*)"(?=\s|$)|(?P<word>\S*))""",
    re.VERBOSE,
)
_SCHEMES = frozenset({"sip", "sips", "tel", "callto", "mailto"})
_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_AGO = re.compile(r"-(\d{1,5})([mhdw])", re.ASCII)
_AGO_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?)?", re.ASCII)
_DATES = "a date such as 2026-11-01, -7d, -2h, mon, today or yesterday"


class _Reading(NamedTuple):
    """What the meaning of a query depends on."""

    me: Aor | None
    now: datetime
    """In the local time zone."""


def _narrowed(query: HistoryQuery, match: re.Match[str], reading: _Reading) -> HistoryQuery:
    key = (match["key"] or "").lower()
    value = match["word"] if match["phrase"] is None else match["phrase"]
    if match["phrase"] is None and value.startswith('"'):
        raise InvalidRequest(f'the quotation mark is not closed; type: {match[0][:40]}"')
    if not key or key in _SCHEMES:
        word = value if not key else match[0].removeprefix("-")
        return _with_word(query, word, excluded=match["not"] is not None)
    if match["not"]:
        raise InvalidRequest(f"- leaves out words only; type: -{value[:40] or 'word'}")
    if key not in _KEYS:
        raise InvalidRequest(_unknown(key, match[0]))
    if not value:
        raise InvalidRequest(f"{key}: needs a value; type: {_EXAMPLES[key]}")
    return _KEYS[key](query, value, reading)


def _with_word(query: HistoryQuery, word: str, *, excluded: bool) -> HistoryQuery:
    if not word and excluded:
        raise InvalidRequest("- leaves out the word after it; type: -word")
    if not word:
        return query
    if excluded:
        return replace(query, excluded=(*query.excluded, word))
    return replace(query, words=(*query.words, word))


def _unknown(key: str, typed: str) -> str:
    shown = key[:20]
    near = get_close_matches(shown, _KEYS, 1, cutoff=0.5)
    known = f"type {_EXAMPLES[near[0]]}" if near else "the keys are " + " ".join(_EXAMPLES)
    return f'there is no key {shown}:; {known}, or "{typed[:40]}" in quotes for the words'


def _party(value: str, reading: _Reading) -> str:
    if value.lower() == "me":
        if reading.me is None:
            raise InvalidRequest("a token has no messages of its own; type from:1001, not me")
        return reading.me
    if "@" not in value and not value.lower().startswith(("sip:", "sips:")):
        return value
    uri = value if value.lower().startswith(("sip:", "sips:")) else f"sip:{value}"
    try:
        return SipUri.parse(uri).aor
    except AddressError as exc:
        raise InvalidRequest(f"{value[:40]} is no address; type 1001 or 1001@host") from exc


def _from(query: HistoryQuery, value: str, reading: _Reading) -> HistoryQuery:
    return replace(query, senders=(*query.senders, _party(value, reading)))


def _to(query: HistoryQuery, value: str, reading: _Reading) -> HistoryQuery:
    return replace(query, recipients=(*query.recipients, _party(value, reading)))


def _with(query: HistoryQuery, value: str, reading: _Reading) -> HistoryQuery:
    return replace(query, peers=(*query.peers, _party(value, reading)))


def _before(query: HistoryQuery, value: str, reading: _Reading) -> HistoryQuery:
    until = _moment("before", value, reading.now)
    return replace(query, until=min(until, query.until or until))


def _after(query: HistoryQuery, value: str, reading: _Reading) -> HistoryQuery:
    since = _moment("after", value, reading.now)
    return replace(query, since=max(since, query.since or since))


def _on(query: HistoryQuery, value: str, reading: _Reading) -> HistoryQuery:
    day = _day(value, reading.now)
    if day is None:
        raise InvalidRequest("on: takes a day; type on:2026-11-01, on:mon or on:today")
    since, until = _in_utc("on", day), _in_utc("on", day, days=1)
    return replace(
        query,
        since=max(since, query.since or since),
        until=min(until, query.until or until),
    )


def _is(query: HistoryQuery, value: str, _: _Reading) -> HistoryQuery:
    word = value.lower()
    if word in set(Direction):
        return replace(query, direction=Direction(word))
    if word in set(Status):
        return replace(query, statuses=query.statuses | {Status(word)})
    words = [*Status, *Direction]
    near = get_close_matches(word[:20], words, 1, cutoff=0.6)
    known = f"type is:{near[0]}" if near else "type is: with one of " + " ".join(words)
    raise InvalidRequest(f"is:{value[:20]} is no status; {known}")


def _in(query: HistoryQuery, value: str, _: _Reading) -> HistoryQuery:
    return replace(query, tags=(*query.tags, value))


def _limit(query: HistoryQuery, value: str, _: _Reading) -> HistoryQuery:
    if not re.fullmatch("[0-9]{1,3}", value) or not 1 <= int(value) <= MAX_PAGE:
        raise InvalidRequest(f"limit: is a number from 1 to {MAX_PAGE}; type limit:20")
    return replace(query, limit=int(value))


def _moment(key: str, value: str, now: datetime) -> datetime:
    """In UTC; a day stands for its first moment."""
    try:
        if ago := _AGO.fullmatch(value):
            return (now - timedelta(**{_AGO_UNITS[ago[2]]: int(ago[1])})).astimezone(UTC)
        if "T" in value and _DATE.fullmatch(value):
            return datetime.fromisoformat(value).replace(tzinfo=now.tzinfo).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise InvalidRequest(f"{key}: takes {_DATES}") from exc
    day = _day(value, now)
    if day is None:
        raise InvalidRequest(f"{key}: takes {_DATES}")
    return _in_utc(key, day)


def _day(value: str, now: datetime) -> datetime | None:
    """Its midnight; a weekday is the latest one, today included."""
    midnight = datetime.combine(now, time(), now.tzinfo)
    word = value.lower()
    if word in {"today", "yesterday"}:
        return midnight - timedelta(days=int(word == "yesterday"))
    named = [i for i, name in enumerate(_DAY_NAMES) if len(word) > 2 and name.startswith(word)]
    if named:
        return midnight - timedelta(days=(now.weekday() - named[0]) % 7)
    if "T" in value or not _DATE.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).replace(tzinfo=now.tzinfo)
    except ValueError:
        return None


def _in_utc(key: str, day: datetime, *, days: int = 0) -> datetime:
    """*day* is a midnight; days are added by the calendar, over a change of the clocks."""
    try:
        return (day + timedelta(days=days)).astimezone(UTC)
    except OverflowError as exc:
        raise InvalidRequest(f"{key}: takes {_DATES}") from exc


_KEYS: dict[str, Callable[[HistoryQuery, str, _Reading], HistoryQuery]] = {
    "from": _from,
    "to": _to,
    "with": _with,
    "before": _before,
    "after": _after,
    "on": _on,
    "is": _is,
    "in": _in,
    "limit": _limit,
}
_EXAMPLES = {
    "from": "from:1001",
    "to": "to:me",
    "with": "with:1002",
    "before": "before:2026-11-01",
    "after": "after:-7d",
    "on": "on:mon",
    "is": "is:failed",
    "in": "in:alerts",
    "limit": "limit:20",
}
