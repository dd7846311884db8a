"""The verbs' arguments."""

import re

import pytest
from hypothesis import example, given, strategies as st

from gateway.errors import InvalidRequest
from gateway.phone import PhoneCommand, Verb, parse_command

HOSTILE = re.compile(r"""[\x00-\x20\x7f-\uffff"'`()\[\]{}<>\\|&%]""")

ACCEPTED = [
    pytest.param(Verb.DIAL, ("1002",), ("1002",), id="dial a number"),
    pytest.param(Verb.DIAL, ("*67#+",), ("*67#+",), id="dial star hash plus"),
    pytest.param(Verb.DIAL, ("1" * 32,), ("1" * 32,), id="dial 32 digits"),
    pytest.param(Verb.DIAL, ("+49 30 123",), ("+4930123",), id="dial quoted spaces"),
    pytest.param(Verb.DIAL, ("tel:+49-30-123",), ("+4930123",), id="dial a tel URI"),
    pytest.param(
        Verb.CALLTO, ("sip:102@office.example",), ("sip:102@office.example",), id="uri"
    ),
    pytest.param(
        Verb.DIAL, ("SIP:Bob@Office.Example",), ("sip:Bob@office.example",), id="case"
    ),
    pytest.param(Verb.DIAL, ("sip:b:secret@h.example",), ("sip:b@h.example",), id="password"),
    pytest.param(Verb.TRANSFER, ("1003",), ("1003",), id="transfer"),
    pytest.param(Verb.DTMF, ("12,34#",), ("12,34#",), id="dtmf with a pause"),
    pytest.param(Verb.DTMF, ("1ab*",), ("1AB*",), id="dtmf letters in lower case"),
    pytest.param(Verb.VOLUP, ("1",), ("1",), id="volup 1"),
    pytest.param(Verb.VOLDOWN, ("10",), ("10",), id="voldown 10"),
    pytest.param(Verb.VOLUME, ("0",), ("0",), id="volume 0"),
    pytest.param(Verb.VOLUME, ("100",), ("100",), id="volume 100"),
    pytest.param(Verb.MICVOLUME, ("007",), ("7",), id="leading zeros"),
    pytest.param(Verb.DEVICE, ("input", "3"), ("input", "3"), id="device in two words"),
    pytest.param(Verb.DEVICE, ("Output,12",), ("output", "12"), id="device with a comma"),
    pytest.param(Verb.HANGUP, (), (), id="hangup"),
]
REFUSED = [
    pytest.param(Verb.DIAL, (), "dial 1002", id="dial nothing"),
    pytest.param(Verb.DIAL, ("1001", "1002"), "dial 1002", id="dial two"),
    pytest.param(Verb.DIAL, ("",), "dial 1002", id="dial empty"),
    pytest.param(Verb.DIAL, ("1" * 33,), "dial 1002", id="dial 33 digits"),
    pytest.param(Verb.DIAL, ("1" * 200,), "dial 1002", id="dial 200 digits"),
    pytest.param(Verb.DIAL, ('1001")][Close("',), "dial 1002", id="dial with a second command"),
    pytest.param(Verb.DIAL, ("1001\nClose",), "dial 1002", id="dial with a newline"),
    pytest.param(Verb.DIAL, ("1001\n",), "dial 1002", id="dial with a final newline"),
    pytest.param(Verb.DIAL, ("10", "01"), "dial 1002", id="dial with an unquoted space"),
    pytest.param(Verb.DIAL, ("\uff11\uff10",), "dial 1002", id="dial wide digits"),
    pytest.param(Verb.DIAL, ("/account:2",), "dial 1002", id="dial a switch"),
    pytest.param(Verb.DIAL, ("sip:office.example",), "dial 1002", id="uri without a user"),
    pytest.param(Verb.DIAL, ("sip:1%22@h.example",), "dial 1002", id="uri with an escape"),
    pytest.param(Verb.DIAL, ("sip:1@[::1]",), "dial 1002", id="uri with brackets"),
    pytest.param(Verb.DIAL, ('sip:1"@h.example',), "dial 1002", id="uri with a quote"),
    pytest.param(Verb.DTMF, ("12 34",), "dtmf 123#", id="dtmf with a space"),
    pytest.param(Verb.DTMF, ("1" * 65,), "dtmf 123#", id="dtmf of 65"),
    pytest.param(Verb.DTMF, ("E",), "dtmf 123#", id="dtmf letter beyond D"),
    pytest.param(Verb.VOLUP, ("0",), "volup 3", id="volup 0"),
    pytest.param(Verb.VOLUP, ("11",), "volup 3", id="volup 11"),
    pytest.param(Verb.VOLUME, ("101",), "volume 40", id="volume 101"),
    pytest.param(Verb.VOLUME, ("-1",), "volume 40", id="volume -1"),
    pytest.param(Verb.VOLUME, ("4e1",), "volume 40", id="volume in letters"),
    pytest.param(Verb.DEVICE, ("x",), "device input 3", id="device x"),
    pytest.param(Verb.DEVICE, ("input", "x"), "device input 3", id="device input x"),
    pytest.param(Verb.DEVICE, ("input", "3", "4"), "device input 3", id="device of three"),
    pytest.param(Verb.DEVICE, (), "device input 3", id="device nothing"),
    pytest.param(Verb.HANGUP, ("now",), "hangup", id="hangup with an argument"),
    pytest.param(Verb.CLOSE, ("1",), "close", id="close with an argument"),
]


@pytest.mark.parametrize(("verb", "words", "arguments"), ACCEPTED)
def test_an_argument_in_range_is_taken(
    verb: Verb, words: tuple[str, ...], arguments: tuple[str, ...]
) -> None:
    assert parse_command(verb, words) == PhoneCommand(verb, arguments)


@pytest.mark.parametrize(("verb", "words", "to_type"), REFUSED)
def test_a_bad_argument_is_refused_with_what_to_type(
    verb: Verb, words: tuple[str, ...], to_type: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_command(verb, words)

    assert refused.value.detail.endswith(f"type: {to_type}")
    assert refused.value.pointer == "/argument"


@given(verb=st.sampled_from(Verb), words=st.lists(st.text(max_size=40), max_size=3))
@example(verb=Verb.DIAL, words=["sip:1%0aClose@h.example"])
@example(verb=Verb.DIAL, words=["sip:1@[::1]"])
@example(verb=Verb.DTMF, words=["1\n"])
@example(verb=Verb.VOLUME, words=["10\n"])
@example(verb=Verb.DEVICE, words=["input,3\n"])
def test_no_argument_that_passes_holds_anything_hostile(verb: Verb, words: list[str]) -> None:
    try:
        command = parse_command(verb, tuple(words))
    except InvalidRequest:
        return

    assert not any(HOSTILE.search(argument) or not argument for argument in command.arguments)


@pytest.mark.parametrize("verb", Verb)
def test_a_verb_is_found_by_chat_word_or_dde_name_in_any_case(verb: Verb) -> None:
    names = (verb.value, verb.value.upper(), verb.dde_name, verb.dde_name.lower())

    assert {Verb.named(name) for name in names} == {verb}


def test_an_unknown_word_is_no_verb() -> None:
    assert Verb.named("dail") is None


def test_the_usage_shows_the_argument() -> None:
    assert (Verb.DIAL.usage, Verb.HANGUP.usage) == ("dial NUMBER", "hangup")
