"""The counting of lost, doubled and overtaken messages finds them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.bench.nodes_verdict import Arrival, Stored, Verdict, verdict
from tests.fakes import NOON

WRITTEN = [f"from p1 {number}" for number in range(3)]
POSTED = [f"to p1 {number}" for number in range(3)]
HISTORY = [
    Stored(text, True, "received", False, "a", NOON + timedelta(seconds=second))
    for second, text in enumerate(WRITTEN)
] + [Stored(text, False, "delivered", False, None, NOON) for text in POSTED]
LATE = [HISTORY[1], HISTORY[0], *HISTORY[2:]]
WIRE = [Arrival("p1", "5070", text) for text in POSTED]


def judged(history: list[Stored] = HISTORY, wire: list[Arrival] = WIRE) -> Verdict:
    return verdict(WRITTEN, POSTED, history, wire)


def test_what_went_well_is_counted_as_that() -> None:
    found = judged()

    assert found.keeps_promises
    assert (found.inbound.once, found.outbound.once, found.delivered) == (3, 3, 3)
    assert (found.stored_by, found.sent_by) == ({"a": 3}, {"5070": 3})


@pytest.mark.parametrize(
    ("found", "where"),
    [
        pytest.param(judged(HISTORY[1:]), lambda v: v.inbound.lost, id="not-stored"),
        pytest.param(judged([*HISTORY, HISTORY[0]]), lambda v: v.inbound.doubled, id="twice"),
        pytest.param(judged(wire=WIRE[:2]), lambda v: v.outbound.lost, id="not-sent"),
        pytest.param(
            judged([replace(HISTORY[0], at=NOON + timedelta(hours=1)), *HISTORY[1:]]),
            lambda v: v.disordered_by_time,
            id="overtaken-inbound",
        ),
        pytest.param(judged(HISTORY[:-1]), lambda v: v.outbound.lost, id="not-queued"),
        pytest.param(
            judged([*HISTORY, HISTORY[-1]]), lambda v: v.outbound.doubled, id="queued"
        ),
        pytest.param(judged(wire=[*WIRE, WIRE[-1]]), lambda v: v.unflagged, id="sent-twice"),
        pytest.param(judged(wire=WIRE[::-1]), lambda v: v.outbound.disordered, id="overtaken"),
    ],
)
def test_a_broken_promise_is_found(found: Verdict, where: Callable[[Verdict], object]) -> None:
    assert where(found)
    assert not found.keeps_promises


def test_what_came_twice_and_is_flagged_breaks_no_promise() -> None:
    flagged = [*HISTORY[:-1], replace(HISTORY[-1], resent=True)]

    found = judged(flagged, [*WIRE, WIRE[-1]])

    assert (list(found.twice), found.keeps_promises) == ([POSTED[-1]], True)


def test_what_a_journal_brings_late_has_its_own_time() -> None:
    found = judged(LATE)

    assert (list(found.inbound.disordered), found.keeps_promises) == ([WRITTEN[0]], True)


def test_the_order_is_each_peer_s_own() -> None:
    other = [Arrival("p2", "5070", f"to p2 {number}") for number in range(2)]

    assert not judged(wire=[other[0], *WIRE, other[1]]).outbound.disordered
