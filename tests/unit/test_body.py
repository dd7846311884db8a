import encodings.aliases

import pytest
from hypothesis import given, strategies as st

from gateway.sip.body import Content, read_body

E_ACUTE = "\N{LATIN SMALL LETTER E WITH ACUTE}"
CPIM = b"From: <im:a@office>\r\nTo: <im:b@office>\r\n\r\n"
IMDN = b'<?xml version="1.0"?><imdn/>'


@pytest.mark.parametrize(
    ("content_type", "body", "content"),
    [
        pytest.param("text/plain", b"hi", Content("text/plain", "hi"), id="plain"),
        pytest.param("", b"hi", Content("text/plain", "hi"), id="no-type"),
        pytest.param("Text/Plain", b"hi", Content("text/plain", "hi"), id="any-case"),
        pytest.param("text/plain", b"", Content("text/plain", ""), id="empty"),
        pytest.param(
            "text/plain; charset=UTF-8", b"\xc3\xa9", Content("text/plain", E_ACUTE), id="utf-8"
        ),
        pytest.param(
            'text/plain;charset="ISO-8859-1"',
            b"\xe9",
            Content("text/plain", E_ACUTE),
            id="latin-1",
        ),
        pytest.param(
            "text/plain;charset=windows-1252",
            b"\x80",
            Content("text/plain", "\N{EURO SIGN}"),
            id="windows-1252",
        ),
        pytest.param("text/html", b"<b>", Content("text/html", "<b>"), id="html-is-text"),
        pytest.param(
            "text/plain",
            b"\xff",
            Content("text/plain", "\ufffd", b"\xff", undecodable=True),
            id="undecodable",
        ),
        pytest.param(
            "text/plain;charset=klingon",
            b"hi",
            Content("text/plain", "hi", b"hi", undecodable=True),
            id="unknown-charset",
        ),
        pytest.param(
            "text/plain;charset=punycode",
            b"hi-",
            Content("text/plain", "hi-", b"hi-", undecodable=True),
            id="codec-that-is-no-charset",
        ),
        pytest.param(
            "text/plain",
            b"a\0b",
            Content("text/plain", "a\ufffdb", b"a\0b", undecodable=True),
            id="nul",
        ),
        pytest.param(
            "text/plain;charset=utf-7",
            b"+2AA-",
            Content("text/plain", "+2AA-", b"+2AA-", undecodable=True),
            id="hidden-surrogate",
        ),
        pytest.param("image/png", b"\x89P", Content("image/png", "", b"\x89P"), id="binary"),
        pytest.param(
            "application/im-iscomposing+xml",
            b"<isComposing/>",
            Content("application/im-iscomposing+xml", "", b"<isComposing/>"),
            id="is-composing",
        ),
        pytest.param(
            "message/imdn+xml", IMDN, Content("message/imdn+xml", "", IMDN), id="imdn"
        ),
    ],
)
def test_a_body_is_what_its_type_says(content_type: str, body: bytes, content: Content) -> None:
    assert read_body(content_type, body) == content


def test_cpim_is_unwrapped() -> None:
    body = CPIM + b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\n\xe9"

    assert read_body("message/cpim", body) == Content("text/plain", E_ACUTE)


def test_cpim_without_a_type_holds_text() -> None:
    assert read_body("Message/CPIM", CPIM + b"\r\nhello") == Content("text/plain", "hello")


def test_a_receipt_in_cpim_is_no_chat() -> None:
    body = CPIM + b"Content-Type: message/imdn+xml\r\n\r\n" + IMDN

    assert read_body("message/cpim", body) == Content("message/imdn+xml", "", body)


def test_cpim_without_an_entity_is_kept_as_it_is() -> None:
    assert read_body("message/cpim", b"hi") == Content("message/cpim", "", b"hi")


MIXED = (
    b"a preamble\r\n--x\r\nContent-Type: image/png\r\n\r\n\x89P\r\n"
    b"--x\r\nContent-Type: text/plain\r\n\r\nfirst\r\n"
    b"--x\r\n\r\nsecond\r\n--x--\r\nan epilogue"
)


def test_the_first_text_part_of_a_multipart_is_its_text() -> None:
    content = read_body('multipart/mixed; boundary="x"', MIXED)

    assert content == Content("text/plain", "first", MIXED)


@pytest.mark.parametrize(
    ("encoding", "data", "text"),
    [
        ("base64", b"w6k=", E_ACUTE),
        ("Quoted-Printable", b"=C3=A9", E_ACUTE),
        ("8bit", b"\xc3\xa9", E_ACUTE),
        ("base64", b"w", "w"),
    ],
)
def test_a_part_in_a_transfer_encoding_is_decoded(
    encoding: str, data: bytes, text: str
) -> None:
    body = b"--x\r\nContent-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n" + data
    body += b"\r\n--x--"

    assert read_body("multipart/mixed;boundary=x", body) == Content("text/plain", text)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/mixed", b"hi"),
        ("multipart/mixed;boundary=x", b"--x--"),
        ("multipart/mixed;boundary=x", b"--x\r\nContent-Type: image/png\r\n\r\nP\r\n--x--"),
    ],
    ids=["no-boundary", "no-part", "no-text-part"],
)
def test_a_multipart_without_text_is_kept_as_it_is(content_type: str, body: bytes) -> None:
    assert read_body(content_type, body) == Content("multipart/mixed", "", body)


def test_multiparts_are_not_followed_for_ever() -> None:
    body = b"deep"
    for _ in range(50):
        body = b"--x\r\nContent-Type: multipart/mixed;boundary=x\r\n\r\n" + body + b"\r\n--x--"

    assert read_body("multipart/mixed;boundary=x", body).text == ""


TYPES = st.sampled_from(
    [
        "text/plain",
        "message/cpim",
        "multipart/mixed;boundary=x",
        "multipart/mixed;boundary=",
        *(f"text/plain;charset={name}" for name in sorted(encodings.aliases.aliases)),
    ]
)


@given(
    TYPES | st.text(),
    st.binary()
    | st.lists(
        st.sampled_from(
            [
                b"--x",
                b"\r\n",
                b"\n",
                b"a",
                b"Content-Type: text/plain",
                b"Content-Transfer-Encoding: base64",
                b"--",
                b":",
                b"\xff",
            ]
        )
    ).map(b"".join),
)
def test_no_body_raises_and_every_text_can_be_stored(content_type: str, body: bytes) -> None:
    content = read_body(content_type, body)

    assert content.text.encode("utf-8").find(b"\0") == -1
    assert (
        content.raw is not None or content.text or not body.strip() or not content.undecodable
    )
