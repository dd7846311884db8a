"""How often the engine looks for commands, and when it announces what it journalled."""

import pytest

from gateway.sip.polling import (
    ANNOUNCE_SECONDS,
    MAX_ANNOUNCE_SECONDS,
    POLL_MS,
    POLL_RESTING_MS,
    POLL_UNWOKEN_MS,
    RESTING_SECONDS,
    Polling,
)

NOW = 1000.0


def test_who_is_woken_waits_long_while_there_is_nothing_to_announce() -> None:
    polling = Polling(woken=True)

    polling.busy(NOW)

    assert polling.milliseconds(NOW, rows=0) == POLL_MS


@pytest.mark.parametrize(
    ("idle", "wait"),
    [(0.0, POLL_UNWOKEN_MS), (RESTING_SECONDS, POLL_UNWOKEN_MS), (1.1, POLL_RESTING_MS)],
)
def test_who_is_not_woken_looks_less_often_once_nothing_came_for_long(
    idle: float, wait: int
) -> None:
    polling = Polling(woken=False)

    polling.busy(NOW)

    assert polling.milliseconds(NOW + idle, rows=0) == wait


def test_who_is_not_woken_looks_often_after_it_announced() -> None:
    polling = Polling(woken=False)
    resting = polling.milliseconds(NOW, rows=0)

    polling.announces(NOW, rows=1)

    assert (resting, polling.milliseconds(NOW, rows=0)) == (POLL_RESTING_MS, POLL_UNWOKEN_MS)


def test_a_first_row_is_announced_at_once() -> None:
    polling = Polling(woken=True)

    assert not polling.announces(NOW, rows=0)
    assert polling.milliseconds(NOW, rows=1) == 0
    assert polling.announces(NOW, rows=1)


@pytest.mark.parametrize(
    ("announced", "pause"),
    [(1, ANNOUNCE_SECONDS), (3, 3 * ANNOUNCE_SECONDS), (500, MAX_ANNOUNCE_SECONDS)],
)
def test_the_more_rows_were_announced_the_longer_the_next_wait(
    announced: int, pause: float
) -> None:
    polling = Polling(woken=True)
    polling.announces(NOW, rows=announced)

    early = polling.announces(NOW + 0.9 * pause, rows=1)
    wait = polling.milliseconds(NOW + 0.9 * pause, rows=1)
    due = polling.announces(NOW + 0.9 * pause + wait / 1000, rows=1)

    assert (early, due) == (False, True)
    assert 0 < wait < 1000 * pause


def test_a_pause_in_which_nothing_came_delays_nothing() -> None:
    polling = Polling(woken=True)
    polling.announces(NOW, rows=500)

    assert polling.milliseconds(NOW + 1, rows=1) == 0
    assert polling.announces(NOW + 1, rows=1)
