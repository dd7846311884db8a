from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from gateway.message import Flag, InboundRequest, MessageId
from gateway.sip.journal.record import JournalRow
from gateway.sip.request import MAX_PARTY, inbound_request

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
REQUEST = (
    b"MESSAGE sip:bot@10.0.0.9:5070;gw=s3 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1\r\n"
    b'From: "Anna" <sip:101@Office.Example;user=phone>;tag=a1\r\n'
    b"To: <sip:bot@office.example>\r\n"
    b"Call-ID: abc@10.0.0.5\r\n"
    b"CSeq: 17 MESSAGE\r\n"
    b"Content-Type: text/plain\r\n"
    b"Content-Length: 2\r\n"
    b"\r\n"
    b"hi"
)


def read(raw: bytes, *, partial: bool = False) -> InboundRequest:
    row = JournalRow(
        id=MessageId(UUID(int=7)),
        received_at=NOON,
        transport="UDP",
        source="10.0.0.5:5060",
        raw=raw,
        partial=partial,
    )
    return inbound_request(row)


def test_headers_and_body_are_read_once() -> None:
    assert read(REQUEST) == InboundRequest(
        id=MessageId(UUID(int=7)),
        received_at=NOON,
        transport="UDP",
        source="10.0.0.5:5060",
        request_uri="sip:bot@10.0.0.9:5070;gw=s3",
        from_uri="sip:101@office.example;user=phone",
        from_tag="a1",
        to_uri="sip:bot@office.example",
        call_id="abc@10.0.0.5",
        cseq=17,
        content_type="text/plain",
        text="hi",
    )


def test_compact_and_folded_headers_mean_the_same() -> None:
    compact = (
        REQUEST.replace(b"From:", b"f :")
        .replace(b"To:", b"T:")
        .replace(b"Call-ID: ", b"i:\r\n  ")
        .replace(b"Content-Type:", b"c:")
        .replace(b"Content-Length:", b"L:")
        .replace(b";tag=a1", b"\r\n\t;tag=a1")
    )

    assert read(compact) == read(REQUEST)


@pytest.mark.parametrize(
    ("headers", "identity"),
    [
        (b"P-Asserted-Identity: <sip:101@office>\r\n", "sip:101@office"),
        (b'P-Asserted-Identity: "A, B" <sip:1@o>, <tel:+49>\r\n', "sip:1@o"),
        (b"P-Asserted-Identity: <tel:+49>\r\nP-Asserted-Identity: sip:1@o\r\n", "sip:1@o"),
        (b"P-Asserted-Identity: <sip:1@o>\r\nP-Asserted-Identity: <sip:2@o>\r\n", ""),
        (b"P-Asserted-Identity: <tel:+49>\r\n", ""),
        (b"", ""),
    ],
    ids=["one", "sip-and-tel", "two-headers", "two-names", "tel-alone", "none"],
)
def test_the_asserted_identity_is_one_sip_uri_or_nobody(headers: bytes, identity: str) -> None:
    raw = REQUEST.replace(b"Content-Type", headers + b"Content-Type")

    assert read(raw).asserted_identity == identity


def test_a_header_too_long_to_be_read_names_nobody() -> None:
    """This one is harmless, but a crafted one takes the time of hundreds of messages."""
    name = b'"' + b"A" * MAX_PARTY + b'" '
    raw = REQUEST.replace(b'"Anna" ', name).replace(
        b"Content-Length: 2\r\n",
        b"Content-Length: 2\r\nP-Asserted-Identity: " + name + b"<sip:101@office>\r\n"
        b"P-Asserted-Identity: <sip:101@office>\r\n",
    )

    request = read(raw)

    assert (request.asserted_identity, request.from_tag) == ("", "")
    assert request.from_uri.startswith('"AAA')
    assert request.text == "hi"


def test_two_from_headers_name_nobody() -> None:
    raw = REQUEST.replace(b"To:", b"From: <sip:boss@office.example>;tag=b\r\nTo:")

    assert read(raw).from_uri == ""


def test_a_name_in_quotes_is_no_address() -> None:
    raw = REQUEST.replace(b'"Anna"', b'"<sip:boss@office.example>"')

    assert read(raw).from_uri == "sip:101@office.example;user=phone"


def test_a_from_that_is_no_sip_uri_is_given_as_it_stands() -> None:
    raw = REQUEST.replace(b'"Anna" <sip:101@Office.Example;user=phone>', b"<tel:+49>")

    assert read(raw).from_uri == "<tel:+49>;tag=a1"


@pytest.mark.parametrize(
    ("length", "partial", "text", "flags"),
    [
        (b"2", False, "hi", set()),
        (b"1", False, "h", set()),
        (b"9", False, "hi", {Flag.TRUNCATED}),
        (b"x", False, "hi", set()),
        (b"-1", False, "hi", set()),
        (b"2", True, "hi", {Flag.TRUNCATED}),
    ],
    ids=["right", "short", "long", "no-number", "negative", "trace-cut"],
)
def test_content_length_decides_what_the_body_is(
    length: bytes, *, partial: bool, text: str, flags: set[Flag]
) -> None:
    raw = REQUEST.replace(b"Content-Length: 2", b"Content-Length: " + length)

    request = read(raw, partial=partial)

    assert (request.text, request.flags) == (text, frozenset(flags))


@pytest.mark.parametrize(
    ("cseq", "number"),
    [(b"17 MESSAGE", 17), (b"", 0), (b"x", 0), (b"9999999999 MESSAGE", 0)],
    ids=["number", "empty", "word", "too-large"],
)
def test_a_cseq_always_fits_its_column(cseq: bytes, number: int) -> None:
    assert read(REQUEST.replace(b"17 MESSAGE", cseq)).cseq == number


PIECES = st.sampled_from(
    [
        *REQUEST.splitlines(keepends=True),
        b"\r\n",
        b"\0",
        b"\xff",
        b"From:",
        b"<",
        b'"',
        b";tag=",
    ]
)


@given(raw=st.binary() | st.lists(PIECES).map(b"".join), partial=st.booleans())
def test_no_bytes_raise_and_every_field_can_be_stored(raw: bytes, *, partial: bool) -> None:
    request = read(raw, partial=partial)

    texts = [
        value for name in request.__slots__ if isinstance(value := getattr(request, name), str)
    ]
    assert not any("\0" in text for text in texts)
    assert all(text.encode("utf-8").decode() == text for text in texts)
