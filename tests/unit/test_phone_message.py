"""A message for MicroSIP to send, checked, then as the string that it is handed."""

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from gateway.errors import InvalidRequest
from gateway.microsip.message_string import message_string
from gateway.phone_message import MAX_BYTES, PhoneMessage, parse_message
from tests.unit.microsip_grammar import Understood, understood

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine fails nothing."""
TAKEN = [
    ("1002", "hello", "1002 hello"),
    ("+49 30-123", "hello", "+4930123 hello"),
    ("sip:Eva.W@office.example:5070", "hello", "Eva.W@office.example:5070 hello"),
    ("1002", '"quoted"', '1002 "quoted"'),
    ("1002", "two\r\nlines\tand a tab", "1002 two lines and a tab"),
    ("1002", "  padded  ", "1002 padded"),
    ("1002", "msip:hangupall", "1002 msip:hangupall"),
    (
        "1002",
        "see https://x.example/account?a=b%20c",
        "1002 see https://x.example/account?a=b%20c",
    ),
    ("1002", "\u00e4\U0001f44d\U0001f3fd", "1002 \u00e4\U0001f44d\U0001f3fd"),
    ("1002", "x" * MAX_BYTES, "1002 " + "x" * MAX_BYTES),
]
REFUSED = [
    ("1002", "", "there is no text"),
    ("1002", " \n ", "there is no text"),
    ("1002", "x" * (MAX_BYTES + 1), "701 bytes"),
    ("1002", "\u20ac" * 234, "702 bytes"),
    ("1002", "a\0b", "control character"),
    ("1002", "a\x1b[1mb", "control character"),
    ("1002", "\ud83d", "half of a pair"),
    ("1002", "/account:2", "/account:"),
    ("1002", "see /Account:2 there", "/account:"),
    ("1002", "/PASSWORD:x", "/password:"),
    ("1002", "%2Faccount%3A2", "/account:"),
    ("1002", "%252faccount%253a2", "/account:"),
    ("1002", "\uff0faccount\uff1a2", "/account:"),
    ("1002", "/acc\u200bount:2", "/account:"),
    ("1002", "/account\n:2", "/account:"),
    ("1002", "https://x.example/", "cut the /"),
    ("", "hello", "1 to 32"),
    ("10 /account:2", "hello", "1 to 32"),
    ("[1002]", "hello", "1 to 32"),
    ("sips:1002@office.example", "hello", "sip:user@host"),
    ("sip:1@office.example;transport=tcp", "hello", "sip:user@host"),
    ("sip:a!b@office.example", "hello", "sip:user@host"),
]


@pytest.mark.parametrize(("number", "text", "string"), TAKEN)
def test_microsip_is_handed_the_number_then_the_text(
    number: str, text: str, string: str
) -> None:
    assert message_string(parse_message(number, text)) == string


@pytest.mark.parametrize(("number", "text", "why"), REFUSED)
def test_what_could_be_more_than_a_message_is_refused(number: str, text: str, why: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_message(number, text)

    assert why in refused.value.detail


@pytest.mark.parametrize(
    "message",
    [
        PhoneMessage("1002", "a\nb"),
        PhoneMessage("1002", "/account:2"),
        PhoneMessage("/account:2", "hello"),
        PhoneMessage('"1002', 'hello"'),
        PhoneMessage("", "hello"),
        PhoneMessage("10 02", "hello"),
    ],
    ids=str,
)
def test_a_message_that_was_never_checked_becomes_no_string(message: PhoneMessage) -> None:
    with pytest.raises(InvalidRequest):
        message_string(message)


_PIECES = st.sampled_from(
    [
        *("/account:", "/ACCOUNT:2", "/password:x", "/acc", "ount:", "pass", "word:", "%2f"),
        *("msip:", "/answer", "/hangupall", "/dtmf:1", "/transfer:1", "tel:", "sip:", "dial:"),
        *(
            '"',
            "//",
            "/",
            " ",
            "  ",
            "%20",
            "%2B",
            "\n",
            "\t",
            "\0",
            "\u2028",
            "\u200b",
            "\u00a0",
        ),
        *("1002", "hello", "\U0001f44d", "\uff0f", "\uff1a", "\u00ad", "\ufeff", "\ud800"),
    ]
)
_TEXTS = st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=8).map("".join))
_NUMBERS = st.one_of(
    st.from_regex(r"[0-9*#+ ().-]{1,20}", fullmatch=True),
    st.builds(
        "{}:{}@{}".format,
        st.sampled_from(["sip", "SIP", "sips", "tel"]),
        st.text(st.sampled_from("01aZ*#+._-/%20:"), min_size=1, max_size=10),
        st.sampled_from(["office.example", "10.0.0.7:5070", "h /account:2", "h/"]),
    ),
    _TEXTS,
)


@UNHURRIED
@given(number=_NUMBERS, text=_TEXTS, newer=st.booleans())
@example(number="1002", text='hello"', newer=True)
@example(number="*", text='" "', newer=False)
@example(number="sip:tel@h", text="//x", newer=True)
def test_microsip_takes_the_string_for_exactly_this_message(
    number: str, text: str, *, newer: bool
) -> None:
    try:
        message = parse_message(number, text)
    except InvalidRequest:
        return

    meaning = understood(message_string(message), newer=newer)

    assert meaning == Understood("send", message.number.removeprefix("sip:"), message.text)


def test_what_was_refused_would_have_been_more_than_a_message() -> None:
    meanings = [
        understood(text, newer=True).meaning for text in ("1 /account:2", "1 /password:x")
    ]

    assert meanings == ["switch account", "set password"]
    assert understood("1002 https://x.example/", newer=True).text == "https://x.example"
