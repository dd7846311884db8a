"""What people are told of calls."""

from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from gateway.call import Call, CallDirection
from gateway.call_notice import missed_text, ringing_text, shown
from gateway.microsip_assembly import dialable
from gateway.numbers import NumberRules
from tests.fakes import NOON

BERLIN = timezone(timedelta(hours=2))
RULES = NumberRules(deny=("0900*",), domains=frozenset({"office.example"}))


def call(peer: str) -> Call:
    return Call(id="call_1", direction=CallDirection.INCOMING, peer=peer, started_at=NOON)


@pytest.mark.parametrize(
    ("peer", "name"),
    [
        pytest.param("555", "555", id="number"),
        pytest.param("+49*30#1", "+49*30#1", id="signs"),
        pytest.param("j.müller-2", "j.müller-2", id="name"),
        pytest.param("", "an unknown number", id="nobody"),
        pytest.param("5\r\n5", "5??5", id="new-line"),
        pytest.param("5\u202e5\u200f5\u0007", "5?5?5?", id="turned-around"),
        pytest.param("אבג", "???", id="right-to-left"),
        pytest.param('555: type "dial 0900"', "555??type??dial?0900?", id="our-words"),
        pytest.param("5" * 41, "5" * 40 + "...", id="long"),
        pytest.param("\ud83d", "?", id="half-a-character"),
    ],
)
def test_nothing_in_a_user_part_can_pass_for_our_words(peer: str, name: str) -> None:
    assert shown(peer) == name


def test_a_call_that_rings_is_told_with_what_to_type() -> None:
    assert ringing_text(call("555")) == 'call from 555: type "answer" or "reject"'


def test_a_missed_call_is_told_with_its_time_here_and_what_to_dial() -> None:
    text = missed_text(call("555"), BERLIN, "555")

    assert text == 'missed call from 555 at 14:00: type "dial 555"'


def test_who_cannot_be_called_back_is_only_named() -> None:
    assert missed_text(call("anna"), UTC, "") == "missed call from anna at 12:00"


@pytest.mark.parametrize(
    ("peer", "number"),
    [
        pytest.param("555", "555", id="number"),
        pytest.param("+49 30-123", "+4930123", id="written-freely"),
        pytest.param("anna", "", id="no-number"),
        pytest.param("0900123", "", id="denied"),
        pytest.param("555 hello", "", id="words"),
        pytest.param("555\n", "", id="new-line"),
        pytest.param("sip:anna@evil.example", "", id="foreign"),
        pytest.param("", "", id="nobody"),
    ],
)
def test_only_what_may_be_dialled_is_a_number_to_dial(peer: str, number: str) -> None:
    assert dialable(peer, RULES) == number


@given(st.text())
def test_whoever_calls_a_notice_is_one_short_printable_line(peer: str) -> None:
    text = missed_text(call(peer), UTC, dialable(peer, RULES))

    assert text.isprintable()
    assert len(text) < 120
