"""What the calls of MicroSIP prove of a command, and what they do not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.call import Call, CallDirection, CallOutcome
from gateway.microsip.call_evidence import call_effect
from gateway.microsip.evidence import effect
from gateway.microsip.observation import NOTHING_SHOWN, Observation
from gateway.microsip.verdict import judge
from gateway.phone import CommandOutcome, PhoneCommand, Verb
from gateway.phone_status import Look, PhoneState
from tests.fakes import NOON

SINCE = NOON + timedelta(milliseconds=700)
LATER = SINCE + timedelta(milliseconds=300)
DIAL = PhoneCommand(Verb.DIAL, ("1002",))
HANGUP, ANSWER, REJECT = (
    PhoneCommand(verb) for verb in (Verb.HANGUP, Verb.ANSWER, Verb.REJECT)
)
OUT = Call(
    id="call_1",
    direction=CallDirection.OUTGOING,
    peer="1002",
    started_at=LATER,
    sources=("hook",),
)
RANG = Call(
    id="call_2",
    direction=CallDirection.INCOMING,
    peer="555",
    started_at=NOON - timedelta(seconds=5),
    sources=("hook",),
)
UP = replace(OUT, started_at=NOON - timedelta(minutes=1), answered_at=NOON)
IDLE, DIALING, ACTIVE = (
    Look(states=frozenset({state}))
    for state in (PhoneState.IDLE, PhoneState.DIALING, PhoneState.ACTIVE)
)


def seen(*calls: Call, look: Look = NOTHING_SHOWN, prefix: str = "") -> Observation:
    return Observation(None, look.states, look=look, calls=calls, prefix=prefix)


def record(call: Call) -> Call:
    """As [Calls] of microsip.ini has it: in whole seconds."""
    return replace(call, started_at=call.started_at.replace(microsecond=0), sources=("ini",))


CASES = [
    pytest.param(DIAL, [], [OUT], "calls 1002", id="a new call"),
    pytest.param(DIAL, [], [record(OUT)], "calls 1002", id="a new record of that second"),
    pytest.param(DIAL, [OUT], [OUT], "", id="the call was there before"),
    pytest.param(
        DIAL, [], [replace(OUT, started_at=SINCE - timedelta(milliseconds=1))], "", id="earlier"
    ),
    pytest.param(
        DIAL,
        [],
        [record(replace(OUT, started_at=NOON - timedelta(seconds=1)))],
        "",
        id="a record of the second before",
    ),
    pytest.param(DIAL, [], [replace(OUT, peer="1003")], "", id="another number"),
    pytest.param(DIAL, [], [replace(OUT, peer="91002")], "", id="a number that ends in it"),
    pytest.param(DIAL, [], [replace(RANG, peer="1002", started_at=LATER)], "", id="incoming"),
    pytest.param(
        HANGUP,
        [UP],
        [replace(UP, ended_at=LATER)],
        "the call with 1002 has ended",
        id="it ended",
    ),
    pytest.param(HANGUP, [UP], [replace(UP, ended_at=NOON)], "", id="it had ended before"),
    pytest.param(HANGUP, [UP], [UP], "", id="it goes on"),
    pytest.param(
        HANGUP,
        [record(UP)],
        [replace(record(UP), ended_at=NOON + timedelta(seconds=1))],
        "",
        id="a second is too coarse",
    ),
    pytest.param(HANGUP, [], [], "", id="there was none"),
    pytest.param(HANGUP, [RANG], [replace(RANG, ended_at=LATER)], "", id="one that only rang"),
    pytest.param(
        HANGUP,
        [UP, replace(UP, id="call_3")],
        [replace(UP, ended_at=LATER), replace(UP, id="call_3")],
        "",
        id="one of two",
    ),
    pytest.param(
        HANGUP, [UP], [replace(UP, ended_at=LATER), OUT], "", id="the next one has begun"
    ),
    pytest.param(
        ANSWER,
        [RANG],
        [replace(RANG, answered_at=LATER)],
        "the call from 555 is answered",
        id="it is answered",
    ),
    pytest.param(ANSWER, [RANG], [replace(RANG, answered_at=NOON)], "", id="answered before"),
    pytest.param(ANSWER, [RANG], [replace(RANG, ended_at=LATER)], "", id="the caller gave up"),
    pytest.param(
        REJECT,
        [RANG],
        [replace(RANG, ended_at=LATER)],
        "the call from 555 no longer rings",
        id="it rings no more",
    ),
    pytest.param(
        REJECT,
        [RANG],
        [replace(RANG, ended_at=LATER, outcome=CallOutcome.ELSEWHERE)],
        "",
        id="another phone answered it",
    ),
    pytest.param(
        REJECT,
        [RANG],
        [replace(RANG, answered_at=SINCE, ended_at=LATER)],
        "",
        id="it was answered, and is over",
    ),
    pytest.param(
        REJECT,
        [RANG, replace(RANG, id="call_3")],
        [replace(RANG, ended_at=LATER), replace(RANG, id="call_3")],
        "",
        id="another still rings",
    ),
]


@pytest.mark.parametrize(("command", "before", "after", "evidence"), CASES)
def test_a_call_is_evidence_only_of_what_came_after_the_hand_over(
    command: PhoneCommand, before: list[Call], after: list[Call], evidence: str
) -> None:
    assert call_effect(command, seen(*before), seen(*after), SINCE) == evidence


@pytest.mark.parametrize(
    ("number", "peer", "evidence"),
    [
        ("1002", "01002", "calls 1002, as 01002 with the dialling prefix"),
        ("1002", "1002", "calls 1002"),
        ("1002", "001002", ""),
        ("sip:bob@h.example", "bob", "calls bob"),
        ("sip:bob@h.example", "bob@h.example", "calls bob@h.example"),
        ("sip:bob@h.example", "bob@other.example", ""),
    ],
)
def test_the_dialling_prefix_of_the_account_may_stand_in_front(
    number: str, peer: str, evidence: str
) -> None:
    before, after = seen(prefix="0"), seen(replace(OUT, peer=peer))

    shown = call_effect(PhoneCommand(Verb.DIAL, (number,)), before, after, SINCE)

    assert shown == evidence


def test_without_a_look_at_the_calls_they_prove_nothing() -> None:
    nothing = Observation()

    assert not call_effect(DIAL, nothing, seen(OUT), SINCE)
    assert not call_effect(HANGUP, seen(UP), nothing, SINCE)


def test_a_call_is_seen_while_the_windows_do_not_answer() -> None:
    silent = replace(seen(OUT), silent=True)

    verdict = judge(DIAL, seen(look=IDLE), silent, SINCE, None)

    assert (verdict.outcome, verdict.evidence) == (CommandOutcome.CONFIRMED, "calls 1002")


IN_WINDOW = [
    ("1002", [], "idle -> dialing, 1002"),
    ("01002", [], "idle -> dialing, 1002, as 01002 with the dialling prefix"),
    ("1003", [], ""),
    (None, [], ""),
    ("1002", [replace(OUT, peer="1003")], ""),
]


@pytest.mark.parametrize(("number", "calls", "evidence"), IN_WINDOW)
def test_a_phone_that_dials_is_evidence_only_with_the_number(
    number: str | None, calls: list[Call], evidence: str
) -> None:
    before, after = (
        seen(look=IDLE, prefix="0"),
        seen(*calls, look=replace(DIALING, number=number)),
    )

    assert effect(DIAL, before, after, SINCE) == evidence


ANSWERED = [
    ("555", "555", "ringing -> active"),
    ("555", "5", "ringing -> active"),
    ("555", None, "ringing -> active"),
    (None, "555", "ringing -> active"),
    ("555", "1009", ""),
]


@pytest.mark.parametrize(("caller", "number", "evidence"), ANSWERED)
def test_a_phone_that_is_with_somebody_else_then_has_not_answered(
    caller: str | None, number: str | None, evidence: str
) -> None:
    before = seen(look=Look(states=frozenset({PhoneState.RINGING}), peer=caller))
    after = seen(look=replace(ACTIVE, number=number))

    assert effect(ANSWER, before, after, SINCE) == evidence


def test_with_another_call_up_only_the_calls_tell_of_an_answer() -> None:
    both = frozenset({PhoneState.RINGING, PhoneState.ACTIVE})
    before, after = seen(RANG, look=Look(states=both)), seen(RANG, look=ACTIVE)
    answered = seen(replace(RANG, answered_at=LATER), look=ACTIVE)

    assert not effect(ANSWER, before, after, SINCE)
    assert effect(ANSWER, before, answered, SINCE) == "the call from 555 is answered"


HOLDS = [
    ({PhoneState.ACTIVE}, {PhoneState.HELD}, "Eva", "active -> held"),
    ({PhoneState.HELD}, {PhoneState.ACTIVE}, "Eva", "held -> active"),
    ({PhoneState.HELD}, {PhoneState.ACTIVE}, "Bob", ""),
    ({PhoneState.ACTIVE}, {PhoneState.ACTIVE}, "Eva", ""),
    ({PhoneState.ACTIVE}, {PhoneState.IDLE}, "Eva", ""),
    ({PhoneState.ACTIVE}, set(), "Eva", ""),
    (
        {PhoneState.ACTIVE, PhoneState.RINGING},
        {PhoneState.HELD, PhoneState.RINGING},
        "Eva",
        "active -> held",
    ),
]


@pytest.mark.parametrize(("was", "now", "tab", "evidence"), HOLDS)
def test_a_hold_is_shown_by_the_call_of_the_same_tab(
    was: set[PhoneState], now: set[PhoneState], tab: str, evidence: str
) -> None:
    before = seen(look=Look(states=frozenset(was), tab="Eva"))
    after = seen(look=Look(states=frozenset(now), tab=tab))

    assert effect(PhoneCommand(Verb.HOLD), before, after, SINCE) == evidence


SAID = [
    pytest.param(seen(look=IDLE), "not registered keeps the number", id="no call shows"),
    pytest.param(seen(look=DIALING), "does not show with whom", id="no number shows"),
    pytest.param(
        seen(replace(OUT, peer="1003"), look=DIALING), "new call is with 1003", id="another's"
    ),
    pytest.param(replace(seen(), silent=True), "stopped responding", id="it hangs"),
    pytest.param(replace(seen(), gone=True), "MicroSIP ended", id="it ended"),
]


@pytest.mark.parametrize(("after", "said"), SAID)
def test_a_dial_that_is_not_seen_says_what_may_be(after: Observation, said: str) -> None:
    verdict = judge(DIAL, seen(look=IDLE), after, SINCE, None)

    assert verdict.outcome is CommandOutcome.UNCONFIRMED
    assert said in verdict.detail


def test_a_dial_while_it_rings_says_that_this_may_be_why() -> None:
    ringing = seen(look=Look(states=frozenset({PhoneState.RINGING})))

    verdict = judge(DIAL, ringing, ringing, SINCE, None)

    assert verdict.outcome is CommandOutcome.UNCONFIRMED
    assert "while it rings" in verdict.detail


def test_a_transfer_that_leaves_the_call_here_says_so() -> None:
    transfer = PhoneCommand(Verb.TRANSFER, ("1003",))

    verdict = judge(transfer, seen(look=ACTIVE), seen(look=ACTIVE), SINCE, None)

    assert verdict.outcome is CommandOutcome.UNCONFIRMED
    assert "the call is still here" in verdict.detail
