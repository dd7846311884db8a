"""SIP URIs, addresses-of-record, name-addrs."""

import pytest
from hypothesis import given, strategies as st

from gateway.address import NameAddr, SipUri, resolve_recipient
from gateway.errors import AddressError


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        pytest.param("sip:101@a.example", SipUri("sip", "101", "a.example"), id="plain"),
        pytest.param("SIP:Bob@A.Example.", SipUri("sip", "Bob", "a.example"), id="any-case"),
        pytest.param("sips:101@a:5061", SipUri("sips", "101", "a", 5061), id="sips-port"),
        pytest.param("sip:a.example", SipUri("sip", "", "a.example"), id="no-user"),
        pytest.param("sip:101:pw@a", SipUri("sip", "101", "a"), id="password-dropped"),
        pytest.param("sip:101@a?Subject=x", SipUri("sip", "101", "a"), id="headers-dropped"),
        pytest.param("sip:1@[2001:db8::1]", SipUri("sip", "1", "[2001:db8::1]"), id="ipv6"),
        pytest.param(
            "sip:1@a;transport=TCP;lr",
            SipUri("sip", "1", "a", None, (("transport", "TCP"), ("lr", ""))),
            id="parameters",
        ),
    ],
)
def test_a_uri_is_read(text: str, uri: SipUri) -> None:
    assert SipUri.parse(text) == uri


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("101", id="no-scheme"),
        pytest.param("tel:101", id="tel"),
        pytest.param("sip:", id="no-host"),
        pytest.param("sip:101@", id="no-host-behind-user"),
        pytest.param("sip:101@a b", id="space"),
        pytest.param("sip:101@a\r\nX: y", id="line-end"),
        pytest.param("sip:10\x001@a", id="nul"),
        pytest.param("<sip:101@a>", id="brackets"),
        pytest.param("sip:101@a:0", id="port-0"),
        pytest.param("sip:101@a:65536", id="port-too-high"),
        pytest.param("sip:" + "1" * 300 + "@a", id="too-long"),
        pytest.param("sip:101@-a", id="hyphen-first"),
    ],
)
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        SipUri.parse(text)


@pytest.mark.parametrize(
    ("text", "aor"),
    [
        pytest.param("sips:101@A:5060;transport=tcp", "sip:101@a", id="canonical"),
        pytest.param("sip:101@a:5070", "sip:101@a:5070", id="other-port"),
        pytest.param("sip:%31%30%31@a", "sip:101@a", id="escapes"),
        pytest.param("sip:101;phone-context=x@a", "sip:101@a", id="user-parameters"),
        pytest.param("sip:a%40b@a", "sip:a%40b@a", id="escaped-at-stays"),
        pytest.param("sip:%3Aabc@a", "sip:%3Aabc@a", id="escaped-colon-stays"),
        pytest.param("sip:%2541@a", "sip:%2541@a", id="escaped-percent-stays"),
        pytest.param("sip:a%0d%0ab@a", "sip:a%0d%0ab@a", id="escaped-line-end-stays"),
        pytest.param("sip:a.example", "sip:a.example", id="no-user"),
    ],
)
def test_an_address_of_record_is_canonical(text: str, aor: str) -> None:
    assert SipUri.parse(text).aor == aor


@given(user=st.text(st.sampled_from('aB1%:;@? "<>25403A\t\u00e9'), min_size=1, max_size=12))
def test_an_address_of_record_is_a_uri_of_the_same_one(user: str) -> None:
    try:
        uri = SipUri.parse(f"sip:{user}@a.example")
    except AddressError:
        return

    assert SipUri.parse(uri.aor).aor == uri.aor


@pytest.mark.parametrize(
    ("text", "name_addr"),
    [
        pytest.param(
            '"Bob \\"B\\"" <sip:101@a>;tag=x1',
            NameAddr(SipUri("sip", "101", "a"), "x1"),
            id="quoted",
        ),
        pytest.param(
            "Bob <sip:101@a;lr>",
            NameAddr(SipUri("sip", "101", "a", None, (("lr", ""),))),
            id="token",
        ),
        pytest.param("sip:101@a;tag=x1", NameAddr(SipUri("sip", "101", "a"), "x1"), id="bare"),
    ],
)
def test_a_name_addr_is_read(text: str, name_addr: NameAddr) -> None:
    assert NameAddr.parse(text) == name_addr


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        pytest.param("101", "sip:101@office.example", id="user"),
        pytest.param("7@b.example:5080", "sip:7@b.example:5080", id="without-scheme"),
        pytest.param("SIP:7@b.example", "sip:7@b.example", id="uri"),
        pytest.param("sips:7@b.example", "sips:7@b.example", id="sips"),
    ],
)
def test_a_recipient_is_a_uri_or_a_user(text: str, uri: str) -> None:
    assert str(resolve_recipient(text, "office.example")) == uri


@pytest.mark.parametrize("text", ["", "sip:b.example", "tel:101", "http://a", "tel:1@a", "a b"])
def test_a_recipient_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        resolve_recipient(text, "office.example")


def test_a_parameter_is_replaced() -> None:
    uri = SipUri.parse("sip:1@a;transport=udp;lr")

    assert str(uri.with_parameter("transport", "tcp")) == "sip:1@a;lr;transport=tcp"
    assert uri.parameter("LR") == ""
    assert uri.parameter("maddr") is None


@given(st.text(max_size=60))
def test_any_text_is_a_uri_or_an_address_error(text: str) -> None:
    try:
        uri = SipUri.parse(text)
    except AddressError:
        return
    assert SipUri.parse(str(uri)) == uri
