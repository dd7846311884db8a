import pytest

from gateway.sip.answer import answered, not_sent, retry_after
from gateway.sip.opening import over
from gateway.sip.wire import (
    Answered,
    Cause,
    EngineAccount,
    Frame,
    Journalled,
    Listener,
    Open,
    Opened,
    OpenFailed,
    Registration,
    Send,
    Stop,
    Trouble,
    Unsent,
    decode,
    encode,
)

OPEN = Open(
    journal="/data/journal.db",
    journal_sync="full",
    bind="0.0.0.0",
    listeners=(Listener("UDP", 5070), Listener("TCP", 0)),
    accounts=(
        EngineAccount(
            name="bot",
            uri="sip:bot@office.example",
            registrar="sip:office.example",
            username="bot",
            password="s3cret",
            contact_parameters=";gw=r4ndom",
        ),
    ),
)


@pytest.mark.parametrize(
    "frame",
    [
        OPEN,
        Send(
            id=1,
            account="bot",
            to_uri="sip:101@o",
            target="sip:101@o;transport=tcp",
            content_type="text/plain",
            body="two\nlines, \N{EURO SIGN}, \0 and \ud800",
        ),
        Stop(2.5),
        Opened((Listener("UDP", 5070),)),
        OpenFailed(Cause.PORT_TAKEN, "UDP port 5070 is taken"),
        Answered(id=1, status_code=480, reason_phrase="Away", retry_after=5),
        Unsent(1, "no"),
        Registration(account="bot", registered=True, status_code=200, reason_phrase="OK"),
        Journalled(),
        Trouble("the disk is full"),
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_a_frame_is_one_line_and_comes_back(frame: Frame) -> None:
    line = encode(frame)

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode(line) == frame


def test_secrets_are_not_shown() -> None:
    shown = repr(OPEN)

    assert "s3cret" not in shown
    assert "r4ndom" not in shown


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"[]", b"{}", b'{"frame":"Nothing"}', b'{"frame":"Stop"}'),
        *(b'{"frame":"Stop","x":1}', b'{"frame":[]}', b"[" * 60_000),
        *(b'{"frame":"Unsent","id":[],"detail":""}', b'{"frame":"Trouble","text":5}'),
    ],
)
def test_what_is_no_frame_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"no frame|Expecting value"):
        decode(line)


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("SIP/2.0 480 Away\r\nRetry-After: 18000;duration=3600\r\n\r\n", 18000),
        ("SIP/2.0 480 Away\r\nretry-after:5 (I'm out)\r\n\r\n", 5),
        ("SIP/2.0 480 Away\r\nRetry-After: soon\r\n\r\n", None),
        ("SIP/2.0 480 Away\r\n\r\nRetry-After: 5\r\n", None),
        ("", None),
    ],
    ids=["parameter", "comment", "no-number", "in-the-body", "no-message"],
)
def test_retry_after_is_read_from_the_headers(message: str, seconds: int | None) -> None:
    assert retry_after(message) == seconds


@pytest.mark.parametrize(
    ("message", "local"), [("", True), ("SIP/2.0 408 Gone\r\n\r\n", False)]
)
def test_a_response_without_a_message_was_made_up_here(message: str, *, local: bool) -> None:
    assert answered(1, 408, "Request Timeout", message).local is local


def test_an_acceptance_is_the_peers_own() -> None:
    assert not answered(1, 202, "Accepted", "").local


@pytest.mark.parametrize(
    ("error", "report"),
    [
        (171023, Answered(id=1, status_code=513, reason_phrase="why", local=True)),
        (171039, Answered(id=1, status_code=400, reason_phrase="why", local=True)),
        (171060, Answered(id=1, status_code=400, reason_phrase="why", local=True)),
        (70018, Unsent(1, "why")),
    ],
    ids=["too-long", "invalid-uri", "no-tls", "cannot-resolve"],
)
def test_what_pjsip_does_not_take_is_refused_or_unsent(
    error: int, report: Answered | Unsent
) -> None:
    assert not_sent(1, error, "why") == report


@pytest.mark.parametrize(
    ("transport", "uri", "routed"),
    [
        ("udp", "sip:101@o", "sip:101@o"),
        ("tcp", "sip:101@o", "sip:101@o;transport=tcp"),
        ("tcp", "sip:101@o:5080;transport=udp", "sip:101@o:5080;transport=udp"),
        ("tls", "sip:101@o", "sip:101@o;transport=tls"),
        ("tcp", "sips:101@o", "sips:101@o"),
    ],
)
def test_without_udp_a_uri_asks_for_what_there_is_unless_it_names_one(
    transport: str, uri: str, routed: str
) -> None:
    assert over(transport, uri) == routed
