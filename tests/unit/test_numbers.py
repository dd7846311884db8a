"""Numbers as they are written, read, then guarded."""

import re
from string import ascii_letters

import pytest
from hypothesis import HealthCheck, assume, example, given, settings, strategies as st

from gateway.errors import InvalidRequest
from gateway.numbers import NumberRules, fits, read_number, readings, spellings
from tests.unit.disguises import DENIED, disguised_numbers

OWN = frozenset({"office.example"})
DIALLED = re.compile(
    r"[0-9*#+]{1,32}|sips?:[\w.+*#~!=-]+@[a-z0-9.-]+(?::\d+)?"
    r"(?:;(?:transport|maddr)=[A-Za-z0-9.-]+)*",
    re.ASCII,
)

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine fails nothing."""
READ = [
    ("1002", "1002"),
    ("+49 30 123", "+4930123"),
    (" (030) 12.3-4 ", "0301234"),
    ("(0)30 123", "030123"),
    ("0049-30-123", "004930123"),
    ("*72#", "*72#"),
    ("tel:+49-30-123", "+4930123"),
    ("TEL:+49(30)123", "+4930123"),
    ("tel:%2B49%2030%20123", "+4930123"),
    ("tel:1002", "1002"),
    ("sip:1002@office.example", "sip:1002@office.example"),
    ("SIP:Eva@Office.Example:5070", "sip:Eva@office.example:5070"),
    ("sip:+49-30-123@office.example;user=phone", "sip:+4930123@office.example"),
    ("sip:+49(30)123@office.example;user=phone", "sip:+4930123@office.example"),
    ("sip:a-b@office.example", "sip:a-b@office.example"),
    ("sip:%2B4930@office.example", "sip:+4930@office.example"),
    ("sip:1@office.example;transport=tcp", "sip:1@office.example;transport=tcp"),
]
NOT_READ = [
    ("", "1 to 32"),
    ("-", "1 to 32"),
    ("1" * 33, "1 to 32"),
    ("10\t01", "1 to 32"),
    ("10\u00a001", "1 to 32"),
    ("030/123", "1 to 32"),
    ("1,,2", "1 to 32"),
    ("[1]", "1 to 32"),
    ('"1"', "1 to 32"),
    ("+49 (0)30 123", "without (0)"),
    ("tel:", "1 to 32"),
    ("tel:tel:1", "1 to 32"),
    ("tel:123%00", "1 to 32"),
    ("tel:123;phone-context=+49", "without ;phone-context"),
    ("tel:+49123;ext=5", "without ;ext"),
    ("tel:+49123;\n", "1 to 32"),
    ("sip:office.example", "1 to 32"),
    ("sip:1%2022@office.example", "1 to 32"),
    ("sip:1%252B@office.example", "1 to 32"),
    ("sip:1@[::1]", "1 to 32"),
    ("sip:1@office.example?Route=x", "1 to 32"),
    ("sip:1@evil.example;x=y@office.example", "without ;x"),
    ("sip:1@office.example;transport=a@evil.example", "without ;transport"),
    ("sip:1;phone-context=+49@office.example", "without ;phone-context"),
    ("sip:1;ext=2@office.example;user=phone", "without ;ext"),
    ("sip:eva@office.example;user=phone", "1 to 32"),
]


@pytest.mark.parametrize(("written", "number"), READ)
def test_a_number_is_read_as_people_and_links_write_it(written: str, number: str) -> None:
    assert read_number(written) == number


@pytest.mark.parametrize(("written", "expected"), NOT_READ)
def test_what_could_reach_somebody_else_is_not_read(written: str, expected: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_number(written)

    assert expected in refused.value.detail


@UNHURRIED
@given(st.text(st.sampled_from('0149*#+ -.()%2Bsiptel:@h;=/"[]\n\0\u00a0?,&'), max_size=40))
@example("sip:1@h;maddr=h")
def test_whatever_is_read_can_be_dialled(written: str) -> None:
    try:
        number = read_number(written)
    except InvalidRequest:
        return

    assert DIALLED.fullmatch(number)
    assert read_number(number) == number


GUARDED = [
    pytest.param("1002", "", id="extension"),
    pytest.param("0044123", "00*", id="international by 00"),
    pytest.param("+44123", "+*", id="international by plus"),
    pytest.param("0900123", "0900*", id="premium"),
    pytest.param("sip:1002@office.example", "", id="own domain"),
    pytest.param("sip:1002@evil.example", "not an own domain", id="foreign domain"),
    pytest.param("sip:1002@office.example;maddr=evil.example", "evil.example", id="maddr"),
    pytest.param(
        "sip:1@office.example;maddr=office.example;maddr=evil.example",
        "evil.example",
        id="second-maddr",
    ),
    pytest.param("sip:0044123@office.example", "00*", id="denied user in the own domain"),
    pytest.param("sip:0-0.44123@office.example", "00*", id="denied behind separators"),
    pytest.param("sips:+44123@office.example", "+*", id="denied user of a SIPS URI"),
    pytest.param("*21*0044123#", "00*", id="calls forwarded to a denied number"),
    pytest.param("*670044123", "00*", id="a denied number behind a code"),
    pytest.param("#31#0900123", "0900*", id="a denied number behind another code"),
    pytest.param("0+0+44123", "00*", id="a plus that no phone dials"),
    pytest.param("*72#", "", id="a code alone"),
]


@pytest.mark.parametrize(("number", "reason"), GUARDED)
def test_the_guard_names_why_a_number_may_not_be_dialled(number: str, reason: str) -> None:
    rules = NumberRules(domains=OWN)

    refusal = rules.refusal(number)

    assert reason in refusal
    assert bool(refusal) == bool(reason)


def test_only_allowed_numbers_may_be_dialled() -> None:
    rules = NumberRules(allow=("10??",), domains=OWN)

    refusals = [
        rules.refusal(number)
        for number in ("1002", "sip:1002@office.example", "10023", "sip:1-002@office.example")
    ]

    assert [bool(refusal) for refusal in refusals] == [False, False, True, True]


def test_a_foreign_domain_is_dialled_when_a_pattern_names_the_uri() -> None:
    rules = NumberRules(allow=("sip:*@partner.example",))

    assert not rules.refusal("sip:7@partner.example")
    assert rules.refusal("sip:7@office.example")
    assert rules.refusal("sip:7@evil.example;x=@partner.example")
    assert rules.refusal("sip:7@partner.example;maddr=evil.example")


@pytest.mark.parametrize("pattern", ["00*", "+*", "00 *", "tel:+*", "(+)*"])
@pytest.mark.parametrize("number", ["+4930123", "004930123", "sip:+4930@office.example"])
def test_a_denied_prefix_catches_either_spelling(pattern: str, number: str) -> None:
    assert NumberRules(deny=(pattern,), domains=OWN).refusal(number)


@pytest.mark.parametrize("pattern", ["+4930*", "+49 (30) *", "tel:+49-30*", "004930*"])
@pytest.mark.parametrize("number", ["+4930123", "004930123", "sip:+4930123@office.example"])
def test_an_allowed_prefix_allows_either_spelling(pattern: str, number: str) -> None:
    rules = NumberRules(allow=(pattern,), deny=(), domains=OWN)

    assert not rules.refusal(number)
    assert rules.refusal(number.replace("4930", "4931"))


def test_the_international_prefix_is_the_country_s() -> None:
    rules = NumberRules(deny=("+*",), international_prefix="011")

    assert rules.refusal("01149123")
    assert not rules.refusal("0049123")


@pytest.mark.parametrize("pattern", ["sip:boss@*", "SIP:Boss@Office.Example", "boss"])
@pytest.mark.parametrize(
    "number",
    ["sip:BOSS@office.example", "sips:boss@office.example:5070", "sip:bo-ss@office.example"],
)
def test_a_denied_address_is_denied_however_it_is_spelled(pattern: str, number: str) -> None:
    rules = NumberRules(deny=(pattern,), domains=OWN)

    assert rules.refusal(number)


def test_a_set_in_a_pattern_keeps_its_dash() -> None:
    assert fits({"105"}, "10[0-5]")
    assert not fits({"109"}, "10[0-5]")


@UNHURRIED
@given(disguised_numbers())
def test_no_spelling_of_a_denied_number_gets_through(written: str) -> None:
    rules = NumberRules(deny=DENIED, domains=OWN)
    try:
        number = read_number(written)
    except InvalidRequest:
        return

    assert rules.refusal(number)


@UNHURRIED
@given(disguised_numbers())
def test_a_disguise_that_is_read_is_no_other_number(written: str) -> None:
    assume(not written.lower().startswith("sip"))
    assume("(0)" not in written.replace(" ", "").replace("%28", "(").replace("%29", ")"))

    number = read_number(written)

    digits = re.sub(r"%([0-9A-F]{2})", lambda escape: chr(int(escape[1], 16)), written)
    assert number == re.sub(r"[^0-9*#+]", "", digits)


@UNHURRIED
@given(st.from_regex(r"[0-9*#+]{1,32}", fullmatch=True), st.sampled_from(["00", "011"]))
def test_what_is_allowed_is_looked_at_when_it_is_denied_too(number: str, prefix: str) -> None:
    assert spellings(number, prefix) <= readings(number, prefix)


@UNHURRIED
@given(st.text(ascii_letters + "0123456789 :@.;+*#", max_size=40))
def test_any_text_has_a_reading(text: str) -> None:
    assert spellings(text, "00")
    assert readings(text, "00")
