"""The history query: what can be typed, and what an error says to type."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, strategies as st

from gateway.address import Aor
from gateway.errors import InvalidRequest
from gateway.message import Direction, Status
from gateway.query import HistoryQuery, parse_query

BERLIN = ZoneInfo("Europe/Berlin")
ME = Aor("sip:101@office.example")
NOW = datetime(2026, 11, 4, 9, 30, tzinfo=UTC)  # a Wednesday


def parsed(text: str) -> HistoryQuery:
    return parse_query(text, me=ME, now=NOW, timezone=BERLIN)


def utc(*parts: int) -> datetime:
    year, month, day, hour, minute = (*parts, 0, 0)[:5]
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", HistoryQuery(), id="nothing"),
        pytest.param("  \t ", HistoryQuery(), id="only spaces"),
        pytest.param("invoice", HistoryQuery(words=("invoice",)), id="word"),
        pytest.param(
            '"second floor" printer',
            HistoryQuery(words=("second floor", "printer")),
            id="phrase",
        ),
        pytest.param(
            'a -b -"c d"', HistoryQuery(words=("a",), excluded=("b", "c d")), id="left out"
        ),
        pytest.param('""', HistoryQuery(), id="empty phrase"),
        pytest.param('5" pipe', HistoryQuery(words=('5"', "pipe")), id="quote within a word"),
        pytest.param(
            '"from:1001"', HistoryQuery(words=("from:1001",)), id="a quoted key is a word"
        ),
        pytest.param(
            "https://x.example/a 14:03 sip:1@x",
            HistoryQuery(words=("https://x.example/a", "14:03", "sip:1@x")),
            id="colons that are no keys",
        ),
        pytest.param("from:1001", HistoryQuery(senders=("1001",)), id="from"),
        pytest.param("FROM:1001", HistoryQuery(senders=("1001",)), id="key in any case"),
        pytest.param("to:me", HistoryQuery(recipients=(ME,)), id="me"),
        pytest.param(
            "with:1002@Office.Example",
            HistoryQuery(peers=("sip:1002@office.example",)),
            id="address",
        ),
        pytest.param(
            "with:sip:1002@office.example;transport=tcp",
            HistoryQuery(peers=("sip:1002@office.example",)),
            id="URI",
        ),
        pytest.param(
            "is:failed is:expired",
            HistoryQuery(statuses=frozenset({Status.FAILED, Status.EXPIRED})),
            id="statuses",
        ),
        pytest.param("is:inbound", HistoryQuery(direction=Direction.INBOUND), id="direction"),
        pytest.param("in:alerts", HistoryQuery(tags=("alerts",)), id="tag"),
        pytest.param('in:"on call"', HistoryQuery(tags=("on call",)), id="quoted value"),
        pytest.param("limit:200", HistoryQuery(limit=200), id="limit"),
    ],
)
def test_a_query_is_read(text: str, expected: HistoryQuery) -> None:
    assert parsed(text) == expected


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        pytest.param("after:2026-11-01", utc(2026, 10, 31, 23), None, id="midnight here"),
        pytest.param("before:2026-07-01", None, utc(2026, 6, 30, 22), id="summer time"),
        pytest.param("after:2026-11-01T14:05", utc(2026, 11, 1, 13, 5), None, id="time"),
        pytest.param("after:-7d", NOW - timedelta(days=7), None, id="days ago"),
        pytest.param("before:-90m", None, NOW - timedelta(minutes=90), id="minutes ago"),
        pytest.param("after:-2h", NOW - timedelta(hours=2), None, id="hours ago"),
        pytest.param("after:-1w", NOW - timedelta(weeks=1), None, id="weeks ago"),
        pytest.param("on:today", utc(2026, 11, 3, 23), utc(2026, 11, 4, 23), id="today"),
        pytest.param("on:yesterday", utc(2026, 11, 2, 23), utc(2026, 11, 3, 23), id="before"),
        pytest.param("on:wed", utc(2026, 11, 3, 23), utc(2026, 11, 4, 23), id="is today"),
        pytest.param("on:Thursday", utc(2026, 10, 28, 23), utc(2026, 10, 29, 23), id="last"),
        pytest.param(
            "on:2026-10-25", utc(2026, 10, 24, 22), utc(2026, 10, 25, 23), id="25 hours long"
        ),
        pytest.param(
            "after:2026-11-01 after:2026-11-02 before:2026-11-04 before:2026-11-03",
            utc(2026, 11, 1, 23),
            utc(2026, 11, 2, 23),
            id="each condition holds",
        ),
        pytest.param(
            "on:today after:-1h", NOW - timedelta(hours=1), utc(2026, 11, 4, 23), id="both"
        ),
    ],
)
def test_days_begin_at_the_local_midnight(
    text: str, since: datetime | None, until: datetime | None
) -> None:
    query = parsed(text)

    assert (query.since, query.until) == (since, until)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("form:1001", "type from:1001", id="nearest key"),
        pytest.param("xyzzy:1", "the keys are from to with", id="no key is near"),
        pytest.param("xyzzy:1", '"xyzzy:1" in quotes', id="a word with a colon"),
        pytest.param("from:", "type: from:1001", id="no value"),
        pytest.param('from:""', "type: from:1001", id="empty value"),
        pytest.param("from:1@@x", "type 1001 or 1001@host", id="no address"),
        pytest.param('"open', 'type: "open"', id="open quotation"),
        pytest.param('from:"open', "not closed", id="open quotation of a value"),
        pytest.param("-", "type: -word", id="nothing left out"),
        pytest.param("-from:1001", "type: -1001", id="a key left out"),
        pytest.param("is:faild", "type is:failed", id="nearest status"),
        pytest.param("is:inbond", "type is:inbound", id="nearest direction"),
        pytest.param("is:bogus", f"one of {' '.join(Status)}", id="no status is near"),
        pytest.param("is:bogus", "inbound outbound", id="no direction is near"),
        pytest.param("limit:0", "type limit:20", id="limit too small"),
        pytest.param("limit:201", "from 1 to 200", id="limit too large"),
        pytest.param("limit:many", "type limit:20", id="limit no number"),
        pytest.param("limit:\u0663", "type limit:20", id="limit in other digits"),
        pytest.param("before:2026-13-01", "such as 2026-11-01", id="no such month"),
        pytest.param("after:2026-11-01T25:00", "such as 2026-11-01", id="no such hour"),
        pytest.param("after:soon", "such as 2026-11-01", id="no date"),
        pytest.param("after:monkeys", "such as 2026-11-01", id="no weekday"),
        pytest.param("after:-100000w", "such as 2026-11-01", id="before all times"),
        pytest.param("on:9999-12-31", "such as 2026-11-01", id="after all times"),
        pytest.param("after:0001-01-01T00:10", "such as 2026-11-01", id="the first day"),
        pytest.param("on:-7d", "type on:2026-11-01", id="no day"),
        pytest.param("a\x00b", "no control characters", id="NUL"),
        pytest.param("a\ud800b", "no control characters", id="lone surrogate"),
        pytest.param("a " * 21, "at most 20 words", id="too many words"),
        pytest.param("a" * 65536, "at most 500 characters", id="64 kB"),
    ],
)
def test_an_error_says_what_to_type(text: str, says: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        parsed(text)

    assert says in error.value.detail
    assert len(error.value.detail) < 250


def test_me_is_an_error_for_a_token() -> None:
    with pytest.raises(InvalidRequest, match="a token has no messages of its own"):
        parse_query("from:me", me=None, now=NOW)


def understood(text: str) -> HistoryQuery | None:
    try:
        return parsed(text)
    except InvalidRequest:
        return None


@given(
    st.text(
        st.one_of(st.sampled_from('":-@ dhmwTfromtisnlbea0123456789'), st.characters()),
        max_size=60,
    )
)
@example("on:0000-00-00")
@example("before:-00000d")
@example('-"":"')
def test_any_text_is_a_query_or_an_invalid_request(text: str) -> None:
    query = understood(text)

    assert query is None or (1 <= query.limit <= 200 and all(query.words))


@given(
    key=st.sampled_from(["from", "to", "with", "before", "after", "on", "is", "in"]),
    value=st.from_regex(r"[-0-9a-zT:@.;]{1,20}", fullmatch=True),
)
def test_any_value_of_a_key_narrows_or_is_an_invalid_request(key: str, value: str) -> None:
    query = understood(f"{key}:{value}")

    assert query != HistoryQuery()
