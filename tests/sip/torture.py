"""MESSAGE requests in the spirit of RFC 4475: odd but right, wrong, or crafted."""

from dataclasses import dataclass

HEAD = {
    "Via": "SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK{name}",
    "Max-Forwards": "70",
    "From": "<sip:101@127.0.0.1>;tag=a1",
    "To": "<sip:bot@127.0.0.1>",
    "Call-ID": "{name}",
    "CSeq": "1 MESSAGE",
    "Content-Type": "text/plain",
    "Content-Length": "{length}",
}
BOT = "MESSAGE sip:bot@127.0.0.1 SIP/2.0"
CPIM = b"From: <im:a@b>\r\nTo: <im:c@d>\r\n\r\n"


@dataclass(frozen=True)
class Torture:
    """A request with something odd, and what becomes of it."""

    name: str
    raw: bytes
    text: str | None
    """Of the history; None: it is not answered 200, and not kept."""


def torture(
    name: str,
    text: str | None = "hi",
    /,
    *more: str,
    body: bytes = b"hi",
    start: str = BOT,
    end: str = "\r\n",
    before: str = "",
    **changed: str | None,
) -> Torture:
    """*changed* replaces headers (None: left out), *more* are lines beside them."""
    headers = HEAD | {key.replace("_", "-"): value for key, value in changed.items()}
    lines = [start, *(f"{key}: {value}" for key, value in headers.items() if value is not None)]
    head = before + end.join([*lines, *more, "", ""])
    head = head.replace("{name}", name).replace("{length}", str(len(body)))
    return Torture(name, head.encode("utf-8", "surrogateescape") + body, text)


def nested(depth: int) -> bytes:
    """A multipart in a multipart in a multipart, the text in the innermost."""
    body = b"Content-Type: text/plain\r\n\r\nhi"
    for level in range(depth, 0, -1):
        body = (
            b"Content-Type: multipart/mixed;boundary=b%d\r\n\r\n--b%d\r\n%b\r\n--b%d--\r\n"
            % (level, level, body, level)
        )
    return body.partition(b"\r\n\r\n")[2]


RIGHT = (
    torture("plain"),
    torture("folded", From='"Anna"\r\n\t<sip:101@127.0.0.1>\r\n ;tag=a1'),
    torture("folded-subject", "hi", "Subject: a\r\n b\r\n\t c"),
    torture(
        "odd-casing",
        "hi",
        "cALL-iD: {name}",
        "fROM: <SIP:101@127.0.0.1>;TAG=a1",
        Call_ID=None,
        From=None,
    ),
    torture(
        "compact",
        "hi",
        "v: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK{name}",
        "f: <sip:101@127.0.0.1>;tag=a1",
        "t: <sip:bot@127.0.0.1>",
        "i: {name}",
        "c: text/plain",
        "l: {length}",
        Via=None,
        From=None,
        To=None,
        Call_ID=None,
        Content_Type=None,
        Content_Length=None,
    ),
    torture("spaces-before-colons", "hi", "From  : <sip:101@127.0.0.1>;tag=a1", From=None),
    torture("escaped-user", start=BOT.replace("bot@", "b%6Ft@")),
    torture("parameters-of-the-user", start=BOT.replace("bot@", "bot;x=1;y@")),
    torture("uri-with-headers", start=BOT.replace("0.0.1 ", "0.0.1?Subject=x&a=%00 ")),
    torture("no-length", Content_Length=None),
    torture("length-with-zeros", Content_Length="0002"),
    torture("empty-headers", "hi", "Subject:", "Organization:   ", "X-Unknown:"),
    torture(
        "a-name-like-an-address", From='"\\"<sip:boss@127.0.0.1>\\"" <sip:101@127.0.0.1>;tag=a'
    ),
    torture("no-angle-brackets", From="sip:101@127.0.0.1;tag=a1"),
    torture("utf-8-name", From='"J\u00f6rg \u4e16" <sip:101@127.0.0.1>;tag=a1'),
    torture("latin-1-name", From='"J\udcf6rg" <sip:101@127.0.0.1>;tag=a1'),
    torture(
        "via-of-another-version", Via="SIP / 2.0 / UDP 127.0.0.1:9;rport;branch=z9hG4bK{name}"
    ),
    torture("via-of-rfc-2543", Via="SIP/2.0/UDP 127.0.0.1:9;rport;branch=1"),
    torture("via-ipv6", Via="SIP/2.0/UDP [::1]:9;rport;branch=z9hG4bK{name}"),
    torture(
        "twenty-vias",
        "hi",
        *(f"Via: SIP/2.0/UDP 192.0.2.{n};branch=z9hG4bK{n}" for n in range(19)),
    ),
    torture("a-hundred-headers", "hi", *(f"X-{n}: {'x' * 9}" for n in range(100))),
    torture("long-header", "hi", f"Subject: {'s' * 2500}"),
    torture("long-name", From=f'"{"n" * 1500}" <sip:101@127.0.0.1>;tag=a1'),
    torture("no-max-forwards", Max_Forwards=None),
    torture("line-ends-before", before="\r\n\r\n\r\n"),
    torture("unix-line-ends", end="\n"),
    torture("contact-star", "hi", "Contact: *"),
    torture("dates", "hi", "Date: Fri, 01 Jan 2010 16:00:00 EST", "Expires: 0"),
    torture(
        "many-types", "hi", "Accept: text/plain;q=0.\u00b2, */*", "Accept-Language: x-\u4e16"
    ),
)
"""Valid, or what every parser lets pass."""

BODIES = (
    torture("utf-16", body="hi".encode("utf-16"), Content_Type="text/plain;charset=UTF-16"),
    torture("unknown-charset", body=b"hi", Content_Type="text/plain;charset=klingon"),
    torture("charset-rot13", body=b"hi", Content_Type="text/plain;charset=rot13"),
    torture("charset-unclosed", None, body=b"hi", Content_Type='text/plain;charset="utf-8'),
    torture("no-type", Content_Type=None),
    torture("type-in-capitals", Content_Type="TEXT/PLAIN ; Charset = UTF-8"),
    torture("nul", "before\N{REPLACEMENT CHARACTER}after", body=b"before\0after"),
    torture("empty", "", body=b""),
    torture("html", "<b>hi", body=b"<b>hi", Content_Type="text/html"),
    torture("bytes", "", body=bytes(range(256)), Content_Type="application/octet-stream"),
    torture("multipart", body=nested(1), Content_Type="multipart/mixed;boundary=b1"),
    torture("nested", body=nested(5), Content_Type="multipart/mixed;boundary=b1"),
    torture("nested-deeper", "", body=nested(9), Content_Type="multipart/mixed;boundary=b1"),
    torture(
        "multipart-of-nothing", "", body=b"--b--", Content_Type="multipart/mixed;boundary=b"
    ),
    torture(
        "multipart-cut",
        "",
        body=b"--b\r\nContent-Ty",
        Content_Type="multipart/mixed;boundary=b",
    ),
    torture("multipart-without-boundary", "", Content_Type="multipart/mixed"),
    torture(
        "cpim", body=CPIM + b"Content-Type: text/plain\r\n\r\nhi", Content_Type="message/cpim"
    ),
    torture(
        "cpim-in-cpim",
        body=(CPIM + b"Content-Type: message/cpim\r\n\r\n") * 3
        + CPIM
        + b"Content-Type: text/plain\r\n\r\nhi",
        Content_Type="message/cpim",
    ),
    torture("cpim-without-body", "", body=CPIM, Content_Type="message/cpim"),
    torture(
        "composing",
        "",
        body=b"<isComposing><state>active</state></isComposing>",
        Content_Type="application/im-iscomposing+xml",
    ),
    torture(
        "composing-no-xml", "", body=b"<" * 300, Content_Type="application/im-iscomposing+xml"
    ),
    torture("gzip", "hi", "Content-Encoding: gzip"),
)
"""Bodies that are hard to read."""

WRONG = (
    torture("length-too-small", "h", Content_Length="1"),
    torture("length-too-large", "hi", Content_Length="3000"),
    torture("negative-length", None, Content_Length="-1"),
    torture("huge-length", "hi", Content_Length="99999999999999999999"),
    torture("no-number-length", None, Content_Length="two"),
    torture("two-lengths", "hi", "Content-Length: 1"),
    torture("no-colon", None, "this is no header"),
    torture("unknown-scheme", None, start=BOT.replace("sip:bot@127.0.0.1", "nobody:knows")),
    torture("tel", "hi", start=BOT.replace("sip:bot@127.0.0.1", "tel:+49-30-123")),
    torture("uri-in-brackets", None, start="MESSAGE <sip:bot@127.0.0.1> SIP/2.0"),
    torture("spaces-in-the-start-line", "hi", start="MESSAGE  sip:bot@127.0.0.1  SIP/2.0"),
    torture("space-in-the-uri", None, start="MESSAGE sip:bot @127.0.0.1 SIP/2.0"),
    torture("later-version", None, start="MESSAGE sip:bot@127.0.0.1 SIP/7.0"),
    torture("fold-in-quotes", None, From='"An\r\n na" <sip:101@127.0.0.1>;tag=a1'),
    torture("from-http", "hi", From="<http://127.0.0.1>;tag=a1"),
    torture("from-without-a-uri", None, From=";tag=a1"),
    torture("from-unclosed", None, From='"Anna <sip:101@127.0.0.1>;tag=a1'),
    torture("to-tag", None, To="<sip:bot@127.0.0.1>;tag=mine"),
    torture("no-to", None, To=None),
    torture("no-via", None, Via=None),
    torture("no-cseq", None, CSeq=None),
    torture("cseq-of-invite", None, CSeq="1 INVITE"),
    torture("huge-cseq", None, CSeq="36893488147419103232 MESSAGE"),
    torture("negative-cseq", None, CSeq="-1 MESSAGE"),
    torture("max-forwards-300", "hi", Max_Forwards="300"),
    torture("max-forwards-word", None, Max_Forwards="many"),
    torture("requires-the-unknown", "hi", "Require: nothingSupportsThis"),
    torture("via-of-nothing", None, Via=""),
    torture("via-of-sctp", "hi", Via="SIP/2.0/SCTP 127.0.0.1:9;rport;branch=z9hG4bK{name}"),
    torture("via-port", None, Via="SIP/2.0/UDP 127.0.0.1:99999;rport;branch=z9hG4bK{name}"),
    torture("nul-in-a-header", None, "Subject: a\0b"),
    torture("control-in-a-name", None, "X-\x01: y"),
    torture("lower-case", None, start="message sip:bot@127.0.0.1 SIP/2.0"),
    torture("two-froms", "hi", "From: <sip:boss@127.0.0.1>;tag=b"),
    torture("two-call-ids", "hi", "Call-ID: another"),
)
"""Against the grammar or the rules."""

ALL = RIGHT + BODIES + WRONG

_LENGTHS = {"no-length", "length-too-large", "negative-length", "huge-length", "two-lengths"}
TRICKY_OVER_TCP = tuple(case for case in ALL if case.name in _LENGTHS)
"""A stream has no end of a packet: Content-Length decides."""
