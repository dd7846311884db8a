"""A MESSAGE that was answered 200 reaches the handler, once."""

import socket
import struct

import pytest

from gateway.message import Flag
from gateway.sip.user_agent import UserAgent
from tests.sip.conftest import Received
from tests.sip.peer import HOST, Peer, ask_over_tcp, message

pytestmark = pytest.mark.timeout(60)


def udp(user_agent: UserAgent) -> int:
    assert user_agent.udp_port
    return user_agent.udp_port


async def test_a_message_reaches_the_handler_as_it_was_sent(
    user_agent: UserAgent, peer: Peer, received: Received
) -> None:
    raw = message("dial 1002 \N{EURO SIGN}", via_port=peer.port, uri="sip:bot@127.0.0.1;gw=x")

    answer = await peer.ask(raw, udp(user_agent))

    assert answer.status_code == 200
    (request,) = await received.count(1)
    assert request.text == "dial 1002 \N{EURO SIGN}"
    assert request.transport == "UDP"
    assert request.source == f"127.0.0.1:{peer.port}"
    assert request.request_uri == "sip:bot@127.0.0.1;gw=x"
    assert (request.from_uri, request.from_tag) == ("sip:101@127.0.0.1", "a1")
    assert request.flags == frozenset()
    assert request.raw_body is None


async def test_a_message_over_tcp_names_its_transport(
    user_agent: UserAgent, received: Received
) -> None:
    assert user_agent.tcp_port

    answer = await ask_over_tcp(
        message("by tcp", via_port=5060, transport="TCP"), user_agent.tcp_port
    )

    assert answer is not None
    assert answer.status_code == 200
    (request,) = await received.count(1)
    assert (request.transport, request.text) == ("TCP", "by tcp")


async def test_a_retransmission_is_answered_again_but_stored_once(
    user_agent: UserAgent, peer: Peer, received: Received
) -> None:
    raw = message("once", via_port=peer.port)

    answers = [await peer.ask(raw, udp(user_agent)) for _ in range(3)]
    await peer.ask(message("last", via_port=peer.port), udp(user_agent))

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    requests = await received.count(2)
    assert [request.text for request in requests] == ["once", "last"]


@pytest.mark.parametrize(
    ("changed", "body", "text", "flags"),
    [
        pytest.param({"Content-Type": None}, b"hi", "hi", set(), id="no-content-type"),
        pytest.param({}, b"", "", set(), id="empty-body"),
        pytest.param(
            {}, b"\xff\xfehi", "\ufffd\ufffdhi", {Flag.UNDECODABLE}, id="broken-utf-8"
        ),
        pytest.param({}, b"a\0b", "a\ufffdb", {Flag.UNDECODABLE}, id="nul"),
        pytest.param({"Content-Length": "2"}, b"hidden", "hi", set(), id="short-length"),
        pytest.param(
            {"Content-Length": "9"}, b"part", "part", {Flag.TRUNCATED}, id="long-length"
        ),
        pytest.param(
            {"Content-Type": 'text/plain;charset="iso-8859-1"'},
            b"\xe9t\xe9",
            "\N{LATIN SMALL LETTER E WITH ACUTE}t\N{LATIN SMALL LETTER E WITH ACUTE}",
            set(),
            id="latin-1",
        ),
    ],
)
async def test_an_odd_body_is_kept(
    user_agent: UserAgent,
    peer: Peer,
    received: Received,
    changed: dict[str, str | None],
    body: bytes,
    text: str,
    flags: set[Flag],
) -> None:
    answer = await peer.ask(message(body, via_port=peer.port, changed=changed), udp(user_agent))

    assert answer.status_code == 200
    (request,) = await received.count(1)
    assert (request.text, request.flags) == (text, frozenset(flags))
    assert request.raw_body == (body if Flag.UNDECODABLE in flags else None)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"To": "<sip:bot@127.0.0.1>;tag=none"}, id="to-tag-of-no-dialog"),
        pytest.param({"CSeq": "7 INVITE"}, id="cseq-of-another-method"),
        pytest.param({"Call-ID": None}, id="no-call-id"),
    ],
)
async def test_what_is_not_acknowledged_is_not_journalled(
    user_agent: UserAgent, peer: Peer, received: Received, changed: dict[str, str | None]
) -> None:
    peer.send(message("never", via_port=peer.port, changed=changed), udp(user_agent))

    await peer.ask(message("afterwards", via_port=peer.port), udp(user_agent))

    requests = await received.count(1)
    assert [request.text for request in requests] == ["afterwards"]


@pytest.mark.parametrize("size", [3300, 3480])
async def test_a_body_beyond_the_trace_is_completed(
    user_agent: UserAgent, peer: Peer, received: Received, size: int
) -> None:
    body = "x" * (size - 3) + "end"

    answer = await peer.ask(message(body, via_port=peer.port), udp(user_agent))

    assert answer.status_code == 200
    (request,) = await received.count(1)
    assert request.text == body
    assert request.flags == frozenset()


async def test_a_datagram_beyond_pjsips_buffer_is_flagged(
    user_agent: UserAgent, peer: Peer, received: Received
) -> None:
    answer = await peer.ask(message("x" * 5000, via_port=peer.port), udp(user_agent))

    assert answer.status_code == 200
    (request,) = await received.count(1)
    assert request.flags == frozenset({Flag.TRUNCATED})
    assert len(request.text) > 3000


async def test_64_kilobytes_over_tcp_are_not_acknowledged_and_do_no_harm(
    user_agent: UserAgent, peer: Peer, received: Received
) -> None:
    assert user_agent.tcp_port
    pid = user_agent.engine_pid
    big = message("x" * 65_536, via_port=5060, transport="TCP")

    answer = await ask_over_tcp(big, user_agent.tcp_port, within=1)
    after = await peer.ask(message("after", via_port=peer.port), udp(user_agent))

    assert answer is None
    assert after.status_code == 200
    requests = await received.count(1)
    assert [request.text for request in requests] == ["after"]
    assert user_agent.engine_pid == pid


async def test_a_request_uri_of_300_characters_does_no_harm(
    user_agent: UserAgent, peer: Peer, received: Received
) -> None:
    pid = user_agent.engine_pid
    long = message("long", via_port=peer.port, uri=f"sip:{'u' * 300}@127.0.0.1")
    peer.send(long, udp(user_agent))

    await peer.ask(message("after", via_port=peer.port), udp(user_agent))

    assert user_agent.engine_pid == pid
    requests = await received.count(1)
    assert requests[-1].text in {"long", "after"}


@pytest.mark.parametrize(
    ("method", "headers", "status_code"),
    [
        pytest.param("INVITE", {}, 488, id="invite-without-sdp"),
        pytest.param("SUBSCRIBE", {"Event": "presence"}, 489, id="subscribe"),
        pytest.param("SUBSCRIBE", {"Event": "dialog"}, 489, id="subscribe-to-dialogs"),
        pytest.param("SUBSCRIBE", {"Event": "message-summary"}, 489, id="subscribe-to-mail"),
        pytest.param("CANCEL", {}, 481, id="cancel-of-nothing"),
    ],
)
async def test_other_requests_are_refused_without_a_6xx(
    user_agent: UserAgent,
    peer: Peer,
    method: str,
    headers: dict[str, str | None],
    status_code: int,
) -> None:
    pid = user_agent.engine_pid
    raw = message(
        b"",
        via_port=peer.port,
        method=method,
        changed={"Content-Type": None, "Expires": "60", **headers},
    )

    answer = await peer.ask(raw, udp(user_agent))

    assert answer.status_code == status_code
    assert user_agent.engine_pid == pid


@pytest.mark.parametrize(
    "method", ["OPTIONS", "NOTIFY", "INVITE", "SUBSCRIBE", "BYE", "REGISTER", "message", "FOO"]
)
async def test_another_method_with_the_cseq_of_a_message_does_no_harm(
    user_agent: UserAgent, peer: Peer, received: Received, method: str
) -> None:
    pid = user_agent.engine_pid
    changed: dict[str, str | None] = {"CSeq": "1 MESSAGE", "Event": "message-summary"}
    raw = message("never", via_port=peer.port, method=method, changed=changed)
    peer.send(raw, udp(user_agent))

    answer = await peer.ask(message("after", via_port=peer.port), udp(user_agent))

    assert answer.status_code == 200
    assert user_agent.engine_pid == pid
    requests = await received.count(1)
    assert requests[-1].text == "after"


async def test_an_options_is_answered_whatever_its_cseq_says(
    user_agent: UserAgent, peer: Peer
) -> None:
    raw = message(b"", via_port=peer.port, method="OPTIONS", changed={"CSeq": "1 MESSAGE"})

    answer = await peer.ask(raw, udp(user_agent))

    assert answer.status_code == 200


async def test_requests_on_a_connection_that_is_reset_are_kept(
    user_agent: UserAgent, peer: Peer, received: Received
) -> None:
    """PJSIP then sends each answer once more, to the port in Via."""
    pid = user_agent.engine_pid
    methods = ["MESSAGE", "MESSAGE", "OPTIONS", "MESSAGE"]
    changed: dict[str, str | None] = {"CSeq": "1 MESSAGE"}
    pipelined = b"".join(
        message("kept", via_port=peer.port, transport="TCP", method=method, changed=changed)
        for method in methods
    )
    with socket.create_connection((HOST, user_agent.tcp_port)) as connection:
        connection.sendall(pipelined)
        at_once = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)

    answer = await peer.ask(message("after", via_port=peer.port), udp(user_agent))

    assert answer.status_code == 200
    requests = await received.count(4)
    texts = sorted(request.text for request in requests)  # connections race with datagrams
    assert texts == ["after", "kept", "kept", "kept"]
    assert user_agent.engine_pid == pid


async def test_an_invite_with_sdp_is_answered_488(user_agent: UserAgent, peer: Peer) -> None:
    sdp = (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    )
    raw = message(
        sdp,
        via_port=peer.port,
        method="INVITE",
        changed={"Content-Type": "application/sdp"},
    )

    answer = await peer.ask(raw, udp(user_agent))

    assert answer.status_code == 488


async def test_a_handler_without_its_store_is_asked_again(
    user_agent: UserAgent, peer: Peer, received: Received
) -> None:
    received.failures = 2

    await peer.ask(message("patience", via_port=peer.port), udp(user_agent))

    (request,) = await received.count(1)
    assert request.text == "patience"
    assert received.failures == 0
