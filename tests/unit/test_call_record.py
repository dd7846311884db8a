"""A call that hooks and [Calls] both tell of."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from gateway.call import HOOK, INI, Call, CallDirection, CallOutcome
from gateway.call_record import merged, same_call, same_number
from tests.fakes import NOON
from tests.unit.call_stories import SECOND, Story, hooks

OUT, IN = CallDirection.OUTGOING, CallDirection.INCOMING


def record(
    outcome: CallOutcome | None = CallOutcome.MISSED,
    *,
    second: float = 0,
    lasted: int = 0,
    direction: CallDirection = IN,
    number: str = "555",
) -> Call:
    at = NOON + second * SECOND
    return Call(
        id="call_of_ini",
        direction=direction,
        peer=number,
        name="Anna",
        started_at=at,
        answered_at=at if outcome is CallOutcome.ANSWERED else None,
        ended_at=at + lasted * SECOND if outcome else None,
        outcome=outcome,
        sources=(INI,),
        record_key=f"{second};{number}",
    )


def told(*kinds: str) -> Call:
    return Story(hooks(*kinds)).only


@pytest.mark.parametrize(
    ("user", "number", "direction", "same"),
    [
        pytest.param("555", "555", IN, True, id="as-it-is"),
        pytest.param("555", "555@other.example", IN, True, id="foreign-domain"),
        pytest.param("+49 30-123", "004930123", OUT, True, id="international"),
        pytest.param("100", "100,,123#", OUT, True, id="digits-afterwards"),
        pytest.param("0555", "555", OUT, True, id="dialling-prefix"),
        pytest.param("0555", "555", IN, False, id="no-prefix-comes-in"),
        pytest.param("05", "5", OUT, False, id="too-short-for-a-prefix"),
        pytest.param("555", "", OUT, False, id="nothing"),
        pytest.param("Anna", "anna", IN, True, id="case"),
        pytest.param("555", "556", IN, False, id="another"),
    ],
)
def test_a_number_is_recognised(
    user: str, number: str, direction: CallDirection, *, same: bool
) -> None:
    assert same_number(user, number, direction) is same


def test_of_two_calls_in_a_row_the_nearer_is_the_one_recorded() -> None:
    first, second = replace(told("incoming"), id="1"), replace(told("incoming"), id="2")
    second = replace(second, started_at=NOON + 4 * SECOND)

    assert same_call([first, second], record(second=3)) == second
    assert same_call([first, second], record(second=1)) == first
    assert same_call([first, second], record(second=10)) is None


def test_a_record_that_is_known_stays_with_its_call() -> None:
    taken = replace(told("incoming"), record_key=record(second=2).record_key)
    nearer = replace(told("incoming"), id="2", started_at=NOON + 2 * SECOND)

    assert same_call([nearer, taken], record(second=2)) == taken
    assert same_call([taken], record(second=1)) is None


def test_the_name_is_the_records_and_the_times_are_the_hooks() -> None:
    known = told("incoming", "ring", "answer", "start", "end")

    call = merged(known, record(CallOutcome.ANSWERED, second=3, lasted=1))

    assert call == replace(known, name="Anna", sources=(HOOK, INI), record_key=call.record_key)


@pytest.mark.parametrize(
    ("known", "recorded", "outcome"),
    [
        pytest.param(told("incoming", "ring", "end"), CallOutcome.ELSEWHERE, "elsewhere"),
        pytest.param(told("incoming", "ring", "end"), CallOutcome.ANSWERED, "missed"),
        pytest.param(told("incoming", "ring"), CallOutcome.MISSED, "missed"),
        pytest.param(told("incoming", "ring"), None, None),
        pytest.param(told("incoming", "ring", "answer"), CallOutcome.MISSED, "answered"),
        pytest.param(told("incoming", "ring"), CallOutcome.ANSWERED, "answered"),
        pytest.param(told("outgoing", "busy"), CallOutcome.UNANSWERED, "busy"),
    ],
    ids=str,
)
def test_a_record_tells_the_outcome_that_no_hook_told(
    known: Call, recorded: CallOutcome | None, outcome: str | None
) -> None:
    assert merged(known, record(recorded)).outcome == outcome


def test_a_lost_end_is_reckoned_from_the_recorded_duration() -> None:
    known = told("incoming", "ring", "answer")

    call = merged(known, record(CallOutcome.ANSWERED, lasted=60))

    assert (call.answered_at, call.ended_at) == (NOON + 2 * SECOND, NOON + 62 * SECOND)


def test_what_microsip_did_not_live_to_tell_is_told_by_its_record() -> None:
    gone = replace(told("outgoing"), ended_at=NOON, outcome=CallOutcome.UNKNOWN)

    call = merged(gone, record(CallOutcome.ANSWERED, lasted=9, direction=OUT))

    assert (call.outcome, call.ended_at) == (CallOutcome.ANSWERED, NOON + 9 * SECOND)


def test_a_call_of_which_no_hook_tells_follows_its_record() -> None:
    ringing = record(None)

    call = merged(ringing, record(CallOutcome.MISSED))

    assert call == record(CallOutcome.MISSED)


@given(
    kinds=st.sampled_from(
        ["", "incoming", "incoming ring", "incoming ring end", "incoming answer start end"]
    ),
    first=st.sampled_from([None, *CallOutcome]),
    outcomes=st.lists(st.sampled_from([None, *CallOutcome]), min_size=1, max_size=3),
    lasted=st.integers(0, 90),
)
def test_merging_twice_is_merging_once(
    kinds: str,
    first: CallOutcome | None,
    outcomes: list[CallOutcome | None],
    lasted: int,
) -> None:
    known = told(*kinds.split()) if kinds else record(first)

    for outcome in outcomes:
        recorded = record(outcome, lasted=lasted if outcome is CallOutcome.ANSWERED else 0)
        once = merged(known, recorded)
        assert merged(once, recorded) == once
        assert once.id == known.id
        assert (once.ended_at is None) == (once.outcome is None)
        assert once.ended_at is None or once.ended_at >= once.started_at
        assert known.outcome is None or once.outcome is not None
        known = once


def test_a_day_between_is_another_call() -> None:
    yesterday = replace(told("incoming"), started_at=NOON - timedelta(days=1))

    assert same_call([yesterday], record()) is None
