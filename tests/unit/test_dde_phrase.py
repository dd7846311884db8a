"""The strings for MicroSIP's DDE server."""

import re
from typing import get_args

import pytest
from hypothesis import given, strategies as st

from gateway.errors import InvalidRequest
from gateway.microsip.phrase import Syntax, phrase
from gateway.phone import PhoneCommand, Verb, parse_command

PHRASES = [
    (Verb.DIAL, "1002", "Dial 1002", '[Dial("1002")]'),
    (Verb.CALLTO, "1002", "CallTo 1002", '[CallTo("1002")]'),
    (Verb.HANGUP, "", "Hangup", "[Hangup]"),
    (Verb.ANSWER, "", "Answer", "[Answer]"),
    (Verb.REJECT, "", "Reject", "[Reject]"),
    (Verb.HOLD, "", "Hold", "[Hold]"),
    (Verb.TRANSFER, "1003", "Transfer 1003", '[Transfer("1003")]'),
    (Verb.DTMF, "12,34#", "SendDTMF 12,34#", '[SendDTMF("12,34#")]'),
    (Verb.MUTE, "", "Mute", "[Mute]"),
    (Verb.VOLUP, "3", "VolumeUp 3", '[VolumeUp("3")]'),
    (Verb.VOLDOWN, "3", "VolumeDown 3", '[VolumeDown("3")]'),
    (Verb.VOLUME, "40", "SetVolume 40", '[SetVolume("40")]'),
    (Verb.MICVOLUME, "50", "SetMicVolume 50", '[SetMicVolume("50")]'),
    (Verb.DEVICE, "input 3", "SetDevice input,3", '[SetDevice("input","3")]'),
    (Verb.STATUS, "", "Status", "[Status]"),
    (Verb.CLOSE, "", "Close", "[Close]"),
]
ONE_COMMAND = {
    "plain": re.compile(r'[A-Za-z]+( [^\s"()\[\]]+)?'),
    "bracket": re.compile(r'\[[A-Za-z]+(\("[^\s"()\[\]]+"(,"[^\s"()\[\]]+")?\))?\]'),
}
NUMBERS = st.from_regex(r"[0-9*#+]{1,32}|sips?:[!-~]{1,20}@[!-~]{1,20}", fullmatch=True)
ARGUMENTS = st.one_of(NUMBERS, st.text(max_size=30), st.integers(0, 100).map(str))


@pytest.mark.parametrize(
    ("verb", "argument", "plain", "bracket"), PHRASES, ids=[row[0].value for row in PHRASES]
)
def test_each_verb_is_phrased_as_documented(
    verb: Verb, argument: str, plain: str, bracket: str
) -> None:
    command = parse_command(verb, tuple(argument.split()))

    assert phrase(command, "plain") == plain
    assert phrase(command, "bracket") == bracket


def test_the_table_has_every_verb() -> None:
    assert [row[0] for row in PHRASES] == list(Verb)


@given(verb=st.sampled_from(Verb), words=st.lists(ARGUMENTS, max_size=2))
@pytest.mark.parametrize("syntax", get_args(Syntax))
def test_a_phrase_is_always_one_command(verb: Verb, words: list[str], syntax: Syntax) -> None:
    try:
        command = parse_command(verb, tuple(words))
    except InvalidRequest:
        return

    assert ONE_COMMAND[syntax].fullmatch(phrase(command, syntax))


@pytest.mark.parametrize("argument", ['1")][Close("', "1 2", "1\r2", "", "1)"])
@pytest.mark.parametrize("syntax", get_args(Syntax))
def test_an_argument_that_was_never_checked_is_refused(argument: str, syntax: Syntax) -> None:
    with pytest.raises(InvalidRequest):
        phrase(PhoneCommand(Verb.DIAL, (argument,)), syntax)
