"""What each final response means for a delivery."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from gateway.address import Aor
from gateway.message import (
    TEXT_PLAIN,
    Deferred,
    Delivered,
    Delivery,
    DeliveryId,
    Expired,
    Failed,
    FinalResponse,
    MessageId,
    Outcome,
    Replaced,
    Status,
    uuid7,
)
from gateway.retry import RetryPolicy, decide
from gateway.split import byte_length
from tests.fakes import NOON

POLICY = RetryPolicy()
DELIVERY = Delivery(
    id=DeliveryId(uuid7(NOON)),
    message_id=MessageId(uuid7(NOON)),
    part=2,
    account="bot",
    peer=Aor("sip:101@office.example"),
    to_uri="sip:101@office.example",
    target="sip:101@office.example",
    destination="office.example:5060",
    body="hello",
    due_at=NOON,
    expires_at=NOON + timedelta(hours=72),
)
KNOWN = replace(DELIVERY, peer_known=True)


def decided(delivery: Delivery, response: FinalResponse, *, chance: float = 0.0) -> Outcome:
    return decide(delivery, response, now=NOON, policy=POLICY, chance=chance)


def answered(code: int, retry_after: int | None = None) -> FinalResponse:
    return FinalResponse(code, "", retry_after)


@pytest.mark.parametrize("code", [200, 202, 204, 299])
def test_any_2xx_delivers(code: int) -> None:
    assert decided(DELIVERY, answered(code)) == Delivered(answered(code))


@pytest.mark.parametrize(
    "code",
    [301, 302, 400, 401, 402, 403, 407, 410, 416, 420, 482, 484, 491, 499, 603, 604],
)
def test_a_refusal_fails_for_good(code: int) -> None:
    assert decided(KNOWN, answered(code)) == Failed(answered(code))


@pytest.mark.parametrize("code", [405, 501])
def test_a_peer_that_takes_no_messages_is_remembered(code: int) -> None:
    assert decided(DELIVERY, answered(code)) == Failed(answered(code), remember=True)


@pytest.mark.parametrize(
    ("code", "status", "seconds"),
    [
        pytest.param(408, Status.RETRYING, 2, id="no-answer"),
        pytest.param(480, Status.WAITING, 2, id="temporarily-unavailable"),
        pytest.param(430, Status.WAITING, 2, id="flow-failed"),
        pytest.param(404, Status.WAITING, 2, id="offline-at-the-registrar"),
        pytest.param(486, Status.RETRYING, 60, id="busy"),
        pytest.param(600, Status.RETRYING, 60, id="busy-everywhere"),
        pytest.param(699, Status.RETRYING, 60, id="unknown-6xx-as-600"),
        pytest.param(500, Status.RETRYING, 2, id="server-error"),
        pytest.param(502, Status.RETRYING, 2, id="bad-gateway"),
        pytest.param(503, Status.RETRYING, 2, id="unavailable"),
        pytest.param(504, Status.RETRYING, 2, id="server-timeout"),
        pytest.param(580, Status.RETRYING, 2, id="precondition"),
        pytest.param(599, Status.RETRYING, 2, id="unknown-5xx-as-500"),
    ],
)
def test_what_may_pass_is_tried_again(code: int, status: Status, seconds: int) -> None:
    outcome = decided(KNOWN, answered(code))

    assert outcome == Deferred(answered(code), NOON + timedelta(seconds=seconds), status)


def test_a_peer_never_seen_is_tried_once_more_after_404() -> None:
    first = decided(DELIVERY, answered(404))
    second = decided(replace(DELIVERY, attempts=1), answered(404))

    assert first == Deferred(answered(404), NOON + POLICY.unknown_retry, Status.RETRYING)
    assert second == Failed(answered(404))


@pytest.mark.parametrize("code", [500, 503, 486, 600])
def test_retry_after_replaces_the_step(code: int) -> None:
    outcome = decided(KNOWN, answered(code, retry_after=600))

    assert isinstance(outcome, Deferred)
    assert outcome.due_at == NOON + timedelta(seconds=600)


@pytest.mark.parametrize("retry_after", [0, -5])
def test_a_retry_after_of_nothing_does_not_make_a_storm(retry_after: int) -> None:
    outcome = decided(KNOWN, answered(503, retry_after=retry_after))

    assert isinstance(outcome, Deferred)
    assert outcome.due_at == NOON + timedelta(seconds=2)


def test_an_absurd_retry_after_waits_no_longer_than_the_time_to_live() -> None:
    hour = replace(KNOWN, expires_at=NOON + timedelta(hours=1))

    outcome = decided(hour, answered(503, retry_after=10**12))

    assert isinstance(outcome, Deferred)
    assert outcome.due_at == hour.expires_at


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(0, 2), (1, 10), (2, 30), (3, 120), (4, 300), (5, 900), (6, 1800), (7, 1800), (99, 1800)],
)
def test_steps_grow_until_half_an_hour(attempts: int, seconds: int) -> None:
    outcome = decided(replace(KNOWN, attempts=attempts), answered(503))

    assert isinstance(outcome, Deferred)
    assert outcome.due_at == NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_a_peer_that_is_away_is_tried_every_30_s_in_the_first_10_minutes(
    chance: float,
) -> None:
    elapsed = timedelta()
    for attempts in range(100):
        outcome = decided(replace(KNOWN, attempts=attempts), answered(480), chance=chance)
        assert isinstance(outcome, Deferred)
        step = outcome.due_at - NOON
        assert step <= timedelta(seconds=30)
        elapsed += step
        if elapsed >= timedelta(minutes=10):
            return
    pytest.fail("the steps never reach 10 minutes")


def test_a_peer_that_stays_away_is_tried_every_half_hour() -> None:
    outcome = decided(replace(KNOWN, attempts=200), answered(480))

    assert isinstance(outcome, Deferred)
    assert outcome.due_at == NOON + timedelta(minutes=30)


@given(st.floats(0, 1), st.integers(0, 50), st.sampled_from([408, 480, 486, 503, 600]))
def test_jitter_takes_at_most_a_fifth_of_a_step(
    chance: float, attempts: int, code: int
) -> None:
    delivery = replace(KNOWN, attempts=attempts)

    plain = decided(delivery, answered(code))
    jittered = decided(delivery, answered(code), chance=chance)

    assert isinstance(plain, Deferred)
    assert isinstance(jittered, Deferred)
    step = plain.due_at - NOON
    assert step * 0.799 <= jittered.due_at - NOON <= step


@given(st.floats(0, 1))
def test_jitter_never_shortens_a_retry_after(chance: float) -> None:
    outcome = decided(KNOWN, answered(503, retry_after=100), chance=chance)

    assert isinstance(outcome, Deferred)
    assert timedelta(seconds=100) <= outcome.due_at - NOON <= timedelta(seconds=120.001)


def test_a_delivery_is_not_deferred_beyond_its_time_to_live() -> None:
    brief = replace(KNOWN, attempts=9, expires_at=NOON + timedelta(minutes=1))

    outcome = decided(brief, answered(503))

    assert outcome == Deferred(answered(503), brief.expires_at, Status.RETRYING)


def test_a_delivery_whose_time_ended_during_the_attempt_expires() -> None:
    late = replace(KNOWN, expires_at=NOON)

    assert decided(late, answered(480)) == Expired(answered(480))
    assert decided(late, answered(200)) == Delivered(answered(200))


@pytest.mark.parametrize("code", [406, 415, 488, 606])
def test_another_type_is_tried_as_plain_text_once(code: int) -> None:
    markdown = replace(DELIVERY, content_type="text/markdown", attempts=3)

    outcome = decided(markdown, answered(code))

    assert isinstance(outcome, Replaced)
    (plain,) = outcome.deliveries
    assert (plain.content_type, plain.body, plain.part) == (TEXT_PLAIN, "hello", 2)
    assert (plain.attempts, plain.due_at, plain.expires_at) == (0, NOON, DELIVERY.expires_at)
    assert plain.id != markdown.id
    assert decided(plain, answered(code)) == Failed(answered(code))


@pytest.mark.parametrize("code", [413, 513])
def test_a_body_too_large_is_split_once(code: int) -> None:
    large = replace(DELIVERY, body="word " * 120)

    outcome = decided(large, answered(code))

    assert isinstance(outcome, Replaced)
    assert len(outcome.deliveries) > 1
    assert {part.message_id for part in outcome.deliveries} == {large.message_id}
    for part in outcome.deliveries:
        assert byte_length(part.body) <= POLICY.smaller_part
        assert decided(part, answered(code)) == Failed(answered(code))


@given(st.integers(200, 699), st.sampled_from([DELIVERY, KNOWN]), st.integers(0, 300))
def test_every_code_has_an_outcome_that_does_not_repeat_at_once(
    code: int, delivery: Delivery, attempts: int
) -> None:
    delivery = replace(delivery, attempts=attempts)

    outcome = decided(delivery, answered(code), chance=1.0)

    if isinstance(outcome, Deferred):
        assert outcome.due_at >= NOON + timedelta(seconds=1)
