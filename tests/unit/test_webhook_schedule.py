"""What an answer means for a webhook."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.webhook_delivery import WebhookDelivery, WebhookState
from gateway.webhooks.schedule import SCHEDULE, Answer, judge
from tests.fakes import NOON

FIRST = WebhookDelivery(
    id="whd_1",
    endpoint="whe_1",
    event_id="evt_1",
    event_type="message.received",
    body="{}",
    state=WebhookState.OPEN,
    attempts=0,
    due_at=NOON,
    created_at=NOON,
)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def answer(status_code: int | None, retry_after: str = "") -> Answer:
    return Answer(status_code=status_code, reason="said so", retry_after=retry_after)


@pytest.mark.parametrize("status_code", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(status_code: int) -> None:
    settlement = judge(FIRST, answer(status_code), now=NOON, chance=0)

    assert settlement.state is WebhookState.DELIVERED
    assert (settlement.status_code, settlement.reason) == (status_code, "said so")
    assert not settlement.disables


@pytest.mark.parametrize("status_code", [None, 199, 301, 307, 400, 401, 404, 429, 500, 503])
def test_anything_else_is_tried_again(status_code: int | None) -> None:
    settlement = judge(FIRST, answer(status_code), now=NOON, chance=0)

    assert settlement.state is WebhookState.OPEN
    assert settlement.due_at == NOON + 5 * SECOND
    assert not settlement.disables


def test_the_steps_are_those_that_the_readme_names() -> None:
    webhook, waits = FIRST, []

    while (settled := judge(webhook, answer(500), now=NOON, chance=0)).state is not (
        WebhookState.DEAD
    ):
        waits.append(settled.due_at - NOON)
        webhook = replace(webhook, attempts=webhook.attempts + 1)

    hours = [2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]
    assert waits == [5 * SECOND, 5 * MINUTE, 30 * MINUTE, *hours]
    assert webhook.attempts + 1 == len(SCHEDULE)


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_jitter_only_makes_a_step_longer(chance: float) -> None:
    settlement = judge(FIRST, answer(500), now=NOON, chance=chance)

    assert settlement.due_at == NOON + 5 * SECOND * (1 + 0.2 * chance)


def test_410_ends_it_with_its_endpoint() -> None:
    settlement = judge(FIRST, answer(410), now=NOON, chance=0)

    assert settlement.state is WebhookState.DEAD
    assert settlement.disables


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        pytest.param("120", 120 * SECOND, id="seconds"),
        pytest.param("Mon, 01 Jun 2026 12:10:00 GMT", 10 * MINUTE, id="date"),
        pytest.param("Mon, 01 Jun 2026 12:10:00 -0000", 10 * MINUTE, id="date-without-zone"),
        pytest.param("2", 5 * SECOND, id="shorter-than-the-step"),
        pytest.param("Mon, 01 Jun 2020 12:10:00 GMT", 5 * SECOND, id="past"),
        pytest.param("999999999", 24 * HOUR, id="years"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", 24 * HOUR, id="far-date"),
        pytest.param("9" * 40, 5 * SECOND, id="absurd"),
        pytest.param("-5", 5 * SECOND, id="negative"),
        pytest.param("soon", 5 * SECOND, id="words"),
        pytest.param("Mon, 01 Jun 99999 12:10:00 GMT", 5 * SECOND, id="no-date"),
        pytest.param(
            f"Mon, 01 Jun {'9' * 20} 12:10:00 GMT", 5 * SECOND, id="year-beyond-any-integer"
        ),
        pytest.param(
            f"Mon, 01 Jun 2026 12:10:00 +{'9' * 20}", 5 * SECOND, id="zone-beyond-any-integer"
        ),
    ],
)
def test_retry_after_is_honoured_up_to_a_day(retry_after: str, wait: timedelta) -> None:
    settlement = judge(FIRST, answer(503, retry_after), now=NOON, chance=0)

    assert settlement.due_at - NOON == wait


def test_retry_after_adds_no_attempt() -> None:
    last = replace(FIRST, attempts=len(SCHEDULE) - 1)

    settlement = judge(last, answer(503, "60"), now=NOON, chance=0)

    assert settlement.state is WebhookState.DEAD
