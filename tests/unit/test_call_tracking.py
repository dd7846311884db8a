"""The calls that MicroSIP's event hooks tell of."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from gateway.call import INI, Call, CallDirection, CallEvent, CallEventKind, CallOutcome
from gateway.call_tracking import (
    LONGEST_CALL,
    TURNED_AWAY_AFTER,
    orphaned,
    overdue,
    track,
)
from gateway.events import EventType
from tests.fakes import NOON
from tests.unit.call_stories import SECOND, Story, hook, hooks

RECORD = Call(
    id="call_of_ini",
    direction=CallDirection.OUTGOING,
    peer="555@other.example",
    started_at=NOON,
    sources=(INI,),
    record_key="1780315200;555@other.example",
)


@pytest.mark.parametrize(
    ("kinds", "outcome"),
    [
        pytest.param("incoming ring answer start end", "answered", id="answered"),
        pytest.param("incoming ring answer answer-video start end", "answered", id="video"),
        pytest.param("incoming answer start end", "answered", id="answered-by-itself"),
        pytest.param("incoming ring end", "missed", id="missed"),
        pytest.param("incoming ring busy", "missed", id="declined-here"),
        pytest.param("outgoing start end", "answered", id="dialled"),
        pytest.param("outgoing outgoing start end", "answered", id="dialled-with-credentials"),
        pytest.param("outgoing end", "unanswered", id="given-up"),
        pytest.param("outgoing busy", "busy", id="busy"),
        pytest.param("incoming start end", "answered", id="answer-lost"),
        pytest.param("ring answer start end", "answered", id="incoming-lost"),
        pytest.param("answer start end", "answered", id="ring-lost-too"),
        pytest.param("incoming end", "missed", id="ring-lost"),
        pytest.param(
            "incoming ring ring answer answer start start end end", "answered", id="x2"
        ),
    ],
)
def test_what_the_hooks_tell_is_one_call_with_its_outcome(kinds: str, outcome: str) -> None:
    story = Story(hooks(*kinds.split()))

    assert story.only.outcome == outcome
    assert story.only.peer == "555"


@pytest.mark.parametrize(
    ("kinds", "told"),
    [
        pytest.param(
            "incoming ring answer start end", "incoming ringing started ended", id="answered"
        ),
        pytest.param("incoming ring end", "incoming ringing ended", id="missed"),
        pytest.param("outgoing start end", "outgoing started ended", id="dialled"),
        pytest.param("outgoing outgoing busy", "outgoing ended", id="busy"),
    ],
)
def test_each_step_of_a_call_is_told_once(kinds: str, told: str) -> None:
    story = Story(hooks(*kinds.split()))

    assert [one.value for one in story.told if one] == [f"call.{word}" for word in told.split()]


def test_the_times_are_those_of_the_hooks() -> None:
    call = Story(hooks("incoming", "ring", "answer", "start", "end")).only

    assert (call.started_at, call.rang_at) == (NOON, NOON + SECOND)
    assert (call.answered_at, call.ended_at) == (NOON + 2 * SECOND, NOON + 4 * SECOND)


def test_a_call_that_never_rings_was_turned_away() -> None:
    story = Story(hooks("incoming"))

    story.apply(overdue(story.ongoing, NOON + TURNED_AWAY_AFTER - SECOND))
    before = story.only.outcome
    story.apply(overdue(story.ongoing, NOON + TURNED_AWAY_AFTER))

    assert before is None
    assert story.only.outcome is CallOutcome.TURNED_AWAY
    assert story.only.ended_at == story.only.started_at
    assert story.told == [EventType.CALL_INCOMING, EventType.CALL_ENDED]


def test_a_second_call_of_the_same_user_does_not_end_the_first() -> None:
    story = Story([*hooks("incoming", "ring", "answer", "start"), hook("incoming", second=9)])

    story.apply(overdue(story.ongoing, NOON + 30 * SECOND))
    story.take(hook("end", second=40))

    first, second = story.calls
    assert (first.outcome, first.ended_at) == (CallOutcome.ANSWERED, NOON + 40 * SECOND)
    assert second.outcome is CallOutcome.TURNED_AWAY


def test_calls_of_two_users_are_told_apart() -> None:
    story = Story(
        [
            hook("incoming", "anna", second=0),
            hook("ring", "anna", second=1),
            hook("outgoing", "bert", second=2),
            hook("end", "anna", second=3),
            hook("start", "bert", second=4),
            hook("end", "bert", second=5),
        ]
    )

    assert [(call.peer, call.outcome) for call in story.calls] == [
        ("anna", CallOutcome.MISSED),
        ("bert", CallOutcome.ANSWERED),
    ]


def test_a_new_call_of_a_user_ends_the_one_whose_end_was_lost() -> None:
    story = Story([*hooks("incoming", "ring", "answer"), *[hook("incoming", second=50)]])

    story.take(hook("ring", second=51))

    old, new = story.calls
    assert (old.outcome, old.ended_at) == (CallOutcome.UNKNOWN, NOON + 50 * SECOND)
    assert new.rang_at == NOON + 51 * SECOND
    assert new.ended_at is None


def test_an_end_that_comes_after_the_next_call_began_is_not_its_end() -> None:
    story = Story([hook("incoming", second=10), hook("ring", second=11)])

    story.take(hook("end", second=9))

    assert story.only.ended_at is None


def test_a_ring_that_overtook_its_incoming_is_of_the_same_call() -> None:
    story = Story([hook("ring", second=2), hook("incoming", second=1)])

    assert (story.only.started_at, story.only.rang_at) == (NOON + SECOND, NOON + 2 * SECOND)


def test_the_ring_may_name_the_caller_by_another_header() -> None:
    story = Story([hook("incoming", "trunk"), hook("ring", "555", second=1)])

    assert (story.only.peer, story.only.rang_at) == ("555", NOON + SECOND)


def test_the_end_of_a_caller_without_user_names_its_domain() -> None:
    story = Story([hook("incoming", ""), hook("ring", "", second=1)])

    story.take(hook("end", "office.example", second=5))

    assert story.only.outcome is CallOutcome.MISSED


@pytest.mark.parametrize("kind", ["start", "end", "busy"])
def test_what_does_not_say_of_which_direction_it_is_makes_no_call(kind: str) -> None:
    assert track([], hook(kind)) == ()


@pytest.mark.parametrize(
    ("user", "second"), [("555", 2), ("0555", 0)], ids=["foreign-domain", "dialling-prefix"]
)
def test_a_call_known_from_its_record_is_the_same_call(user: str, second: int) -> None:
    number = "555@other.example" if user == "555" else "555"
    known = replace(RECORD, peer=number)

    (change,) = track([known], hook("outgoing", user, second=second))

    assert change.call == replace(
        known, peer=user, started_at=NOON + second * SECOND, sources=("hook", "ini")
    )


def test_a_record_of_long_ago_is_another_call() -> None:
    changes = track([RECORD], hook("outgoing", second=6))

    assert [change.call.id for change in changes][-1] != RECORD.id


def test_the_calls_of_a_microsip_that_is_gone_are_over() -> None:
    story = Story(hooks("outgoing", "start"))

    younger = orphaned(story.ongoing, NOON)
    unknown = orphaned(story.ongoing, None)
    story.apply(orphaned(story.ongoing, NOON + 9 * SECOND))

    assert younger == unknown == ()
    assert (story.only.outcome, story.only.ended_at) == (
        CallOutcome.UNKNOWN,
        NOON + 9 * SECOND,
    )


events = st.builds(
    CallEvent,
    id=st.uuids().map(lambda value: f"evt_{value}"),
    kind=st.sampled_from(CallEventKind),
    user=st.sampled_from(["555", "0555", "anna", "", "office.example", "\u202e\n;'\0"]),
    at=st.integers(0, 60_000).map(lambda ms: NOON + timedelta(milliseconds=ms)),
)


@given(st.lists(events, max_size=30))
def test_whatever_is_told_in_whatever_order_the_calls_are_sane(told: list[CallEvent]) -> None:
    story = Story()
    for event in told:
        story.take(event)
        real = [c for c in story.ongoing if c.rang_at or c.answered_at or _is_out(c)]
        assert len({call.peer for call in real}) == len(real), "a user has one call"

    for call in story.calls:
        times = [t for t in (call.answered_at, call.ended_at) if t]
        assert all(time >= call.started_at for time in (*times, call.rang_at) if time)
        assert times == sorted(times)
        assert (call.ended_at is None) == (call.outcome is None)


@given(st.lists(events, max_size=30))
def test_every_call_ends_at_last(told: list[CallEvent]) -> None:
    story = Story(told)

    story.apply(overdue(story.ongoing, NOON + timedelta(minutes=2) + LONGEST_CALL))

    assert story.ongoing == []


@given(st.lists(events, max_size=15))
def test_an_end_is_told_once_for_each_call(told: list[CallEvent]) -> None:
    story = Story(told)

    story.apply(overdue(story.ongoing, NOON + timedelta(minutes=2) + LONGEST_CALL))

    assert story.told.count(EventType.CALL_ENDED) == len(story.calls)


def _is_out(call: Call) -> bool:
    return call.direction is CallDirection.OUTGOING
