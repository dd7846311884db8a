"""The records of [Calls] in microsip.ini."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from gateway.call import LONGEST_USER, CallDirection, CallOutcome
from gateway.microsip.call_records import changed, decode

AT = 1780315200
BEGAN = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "direction", "outcome", "seconds"),
    [
        pytest.param("0;{};0;", "outgoing", None, None, id="dialling"),
        pytest.param("0;{};62;Call ended", "outgoing", "answered", 62, id="dialled"),
        pytest.param("0;{};0;Busy", "outgoing", "unanswered", 0, id="not-answered-there"),
        pytest.param("1;{};0;", "incoming", None, None, id="rings"),
        pytest.param("1;{};5;", "incoming", "answered", 5, id="duration-before-info"),
        pytest.param("1;{};0;Ende", "incoming", "answered", 0, id="less-than-a-second"),
        pytest.param("2;{};0;Entgangener Anruf", "incoming", "missed", 0, id="missed"),
        pytest.param("2;{};0;", "incoming", "missed", 0, id="missed-before-info"),
        pytest.param("3;{};0;", "incoming", "elsewhere", 0, id="elsewhere"),
    ],
)
def test_a_record_is_a_call(
    value: str, direction: str, outcome: str | None, seconds: int | None
) -> None:
    call = decode("555;Anna;" + value.format(AT))

    assert call is not None
    assert (call.peer, call.name, call.started_at) == ("555", "Anna", BEGAN)
    assert (call.direction, call.outcome) == (direction, outcome)
    assert call.ended_at == (None if seconds is None else BEGAN + timedelta(seconds=seconds))
    assert (call.sources, call.record_key) == (("ini",), f"{AT};555")


@pytest.mark.parametrize(
    ("parties", "number", "name"),
    [
        pytest.param("555;555", "555", "", id="no-name-of-its-own"),
        pytest.param("a;b;a;b", "a;b", "", id="semicolon-in-a-number"),
        pytest.param("555;Anna; Bert", "555", "Anna; Bert", id="semicolon-in-a-name"),
        pytest.param("555;transport=tcp;Anna", "555", "Anna", id="parameters"),
        pytest.param("555;transport=tcp;555", "555", "", id="parameters-without-name"),
        pytest.param("555@other.example;Anna", "555@other.example", "Anna", id="domain"),
        pytest.param("555;x;1;1700000000;9;y", "555", "x;1;1700000000;9;y", id="forged-fields"),
        pytest.param(";", "", "", id="nobody"),
        pytest.param("5;\ud83d\0", "5", "\ufffd\ufffd", id="no-characters"),
    ],
)
def test_semicolons_do_not_shift_what_follows(parties: str, number: str, name: str) -> None:
    call = decode(f"{parties};2;{AT};0;Missed")

    assert call is not None
    assert (call.peer, call.name, call.outcome) == (number, name, CallOutcome.MISSED)


@pytest.mark.parametrize(
    "value",
    [
        "null",
        "",
        "555",
        "555;Anna;2",
        f"555;Anna;4;{AT};0;",
        f"555;Anna;2;{AT};-1;",
        "555;Anna;2;yesterday;0;",
        f"555;Anna;2;{AT}٣;0;",
    ],
)
def test_what_is_no_record_is_no_call(value: str) -> None:
    assert decode(value) is None


def test_the_same_record_is_the_same_call_however_it_goes_on() -> None:
    dialling = decode(f"555;555;0;{AT};0;")
    ended = decode(f"555;Anna;0;{AT};62;Call ended")
    other = decode(f"555;555;0;{AT + 1};0;")

    assert dialling is not None
    assert ended is not None
    assert other is not None
    assert dialling.id == ended.id != other.id


def test_only_what_changed_is_told_oldest_first() -> None:
    before = {"0": f"1;1;1;{AT};9;x", "1": f"2;2;1;{AT + 1};0;", "2": "null"}
    now = {**before, "1": f"2;2;2;{AT + 1};0;x", "2": "null", "3": f"3;3;0;{AT - 1};0;"}

    assert [call.peer for call in changed(now, before)] == ["3", "2"]
    assert [call.peer for call in changed(before, {})] == ["1", "2"]


@given(
    st.one_of(
        st.text(),
        st.builds(
            "{};{};{};{};{};{}".format,
            st.text(),
            st.text(),
            st.integers(-1, 4),
            st.integers(-1, 10**11),
            st.integers(-1, 10**8),
            st.text(),
        ),
    )
)
def test_whatever_stands_there_is_a_sane_call_or_none(value: str) -> None:
    call = decode(value)

    if call is not None:
        assert len(call.peer) <= LONGEST_USER
        assert len(call.name) <= LONGEST_USER
        assert "\0" not in call.peer + call.name
        (call.peer + call.name + call.record_key).encode()
        assert (call.ended_at is None) == (call.outcome is None)
        assert call.ended_at is None or call.ended_at >= call.started_at
        assert call.direction in CallDirection
