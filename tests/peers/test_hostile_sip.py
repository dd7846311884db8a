"""Malformed and hostile SIP, straight at the running gateway."""

import asyncio
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.peers.gateway_process import (
    EVERYBODY_MAY,
    LOCAL_ACCOUNT,
    GatewayProcess,
    eventually,
)
from tests.peers.packet import Packet
from tests.peers.sip_ua import SipUserAgent

pytestmark = [pytest.mark.timeout(180)]


@dataclass(frozen=True)
class Hostile:
    """A MESSAGE with something wrong; *answer* is what it must get, None is nothing."""

    name: str
    answer: int | None
    body: bytes = b"dial 1002"
    replaced: dict[str, str] = field(default_factory=dict)
    """Header values; an empty one leaves the header out."""
    method: str = "MESSAGE"
    uri: str = "sip:bot@127.0.0.1"

    @property
    def call_id(self) -> str:
        return "".join(letter if letter.isalnum() else "-" for letter in self.name)

    def __bytes__(self) -> bytes:
        headers = {
            "Via": f"SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK{self.call_id}",
            "Max-Forwards": "70",
            "From": "<sip:mallory@127.0.0.1>;tag=1",
            "To": "<sip:bot@127.0.0.1>",
            "Call-ID": self.call_id,
            "CSeq": f"1 {self.method}",
            "Content-Type": "text/plain",
            "Content-Length": str(len(self.body)),
        } | self.replaced
        lines = [f"{self.method} {self.uri} SIP/2.0"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


CONTACT = {"Contact": "<sip:mallory@127.0.0.1:9>", "Content-Type": ""}
LONG_URI = f"sip:{'a' * 280}@127.0.0.1"
DATAGRAMS = (
    Hostile("no content type", 200, replaced={"Content-Type": ""}),
    Hostile("content length too small", 200, replaced={"Content-Length": "4"}),
    Hostile("content length too great", 200, replaced={"Content-Length": "4000"}),
    Hostile("negative content length", None, replaced={"Content-Length": "-1"}),
    Hostile("to tag", 481, replaced={"To": "<sip:bot@127.0.0.1>;tag=made-up"}),
    Hostile("another method in cseq", None, replaced={"CSeq": "1 INVITE"}),
    Hostile("broken utf-8", 200, body=b"caf\xe9 \xff\xfe"),
    Hostile("nul", 200, body=b"before\x00after"),
    Hostile("empty body", 200, body=b""),
    Hostile("control characters", 200, body=b"\x1b[2J\x07\r\n\r\n\x7f"),
    Hostile("another verb in the number", 200, body=b'dial 1001")][Close("'),
    Hostile("long request uri", 200, uri=LONG_URI),
    Hostile("long from", 200, replaced={"From": f"<{LONG_URI}>;tag=1"}),
    Hostile("no from", None, replaced={"From": ""}),
    Hostile("no call id", None, replaced={"Call-ID": ""}),
    Hostile("max forwards used up", 200, replaced={"Max-Forwards": "0"}),
    Hostile("a stranger's account", 200, uri="sip:nobody@elsewhere.example"),
    Hostile("a subscription", 489, b"", {**CONTACT, "Event": "presence"}, method="SUBSCRIBE"),
    Hostile("a call", 488, b"", CONTACT, method="INVITE"),
    Hostile(
        "nested multipart",
        200,
        body=b"--b\r\n" * 400,
        replaced={"Content-Type": "multipart/mixed;boundary=b"},
    ),
    Hostile("larger than a packet", 200, body=b"x" * 5000),
)
NO_SIP = (b"\r\n\r\n", b"\x00" * 200, b"GET / HTTP/1.1\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n")


def answer_to(datagram: bytes, port: int) -> int | None:
    """The final status code, None when nothing comes within a second."""
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        sender.settimeout(1)
        sender.sendto(datagram, ("127.0.0.1", port))
        try:
            while (code := Packet.parse(sender.recv(4000)).status_code) < 200:
                pass
        except TimeoutError:
            return None
        return code


def answer_over_tcp(request: bytes, port: int) -> int | None:
    """The status code, None when the connection brings nothing within a second."""
    with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(request)
        try:
            answer = connection.recv(4000)
        except (TimeoutError, ConnectionResetError):
            return None
        return Packet.parse(answer).status_code if answer else None


def gateway_on(folder: Path) -> GatewayProcess:
    return GatewayProcess(folder, LOCAL_ACCOUNT, EVERYBODY_MAY)


async def test_every_malformed_datagram_gets_its_answer(tmp_path: Path) -> None:
    async with gateway_on(tmp_path) as gateway:
        engine = gateway.engine_pid

        answers = {
            hostile.name: await asyncio.to_thread(answer_to, bytes(hostile), gateway.sip_port)
            for hostile in DATAGRAMS
        }

        assert answers == {hostile.name: hostile.answer for hostile in DATAGRAMS}
        acknowledged = {h.call_id for h in DATAGRAMS if answers[h.name] == 200}

        async def kept() -> bool:
            return gateway.stored().keys() >= acknowledged

        await eventually(kept)
        assert gateway.stored().keys() == acknowledged
        assert gateway.engine_pid == engine
        await answers_still(gateway)


async def test_what_is_no_sip_is_passed_over(tmp_path: Path) -> None:
    async with gateway_on(tmp_path) as gateway:
        engine = gateway.engine_pid

        for datagram in NO_SIP:
            await asyncio.to_thread(answer_to, datagram, gateway.sip_port)

        assert gateway.engine_pid == engine
        await answers_still(gateway)


async def test_a_huge_request_over_tcp_is_not_answered(tmp_path: Path) -> None:
    async with gateway_on(tmp_path) as gateway:
        engine = gateway.engine_pid
        huge = Hostile("64 kB over TCP", None, body=b"x" * 65_536)

        answer = await asyncio.to_thread(answer_over_tcp, bytes(huge), gateway.sip_port)

        assert answer is None
        assert gateway.engine_pid == engine
        assert gateway.stored() == {}
        await answers_still(gateway)


def posted_by_a_browser(body: bytes, port: int) -> bytes:
    """What a page may send anywhere without asking first (CORS: a simple request)."""
    return (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://evil.example\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


async def test_a_web_page_commands_nothing(tmp_path: Path) -> None:
    """PJSIP passes over the HTTP head, and takes the rest for a request of this machine."""
    async with gateway_on(tmp_path) as gateway:
        via = {"Via": "SIP/2.0/TCP 127.0.0.1:9;rport;branch=z9hG4bKpost"}
        body = b"\r\n" * 3000 + bytes(Hostile("by a web page", 200, replaced=via))
        post = posted_by_a_browser(body, gateway.sip_port)

        await asyncio.to_thread(answer_over_tcp, post, gateway.sip_port)

        async def kept() -> dict[str, Any]:
            items = await gateway.history()
            return items[0] if items else {}

        item = await eventually(kept)
        assert (item["text"], item["status"]) == ("dial 1002", "refused")


async def test_what_is_hostile_is_shown_as_it_was(tmp_path: Path) -> None:
    async with gateway_on(tmp_path) as gateway:
        sent = [
            h for h in DATAGRAMS if h.name in ("broken utf-8", "nul", "larger than a packet")
        ]

        for hostile in sent:
            await asyncio.to_thread(answer_to, bytes(hostile), gateway.sip_port)

        async def all_there() -> list[dict[str, Any]]:
            items = [i for i in await gateway.history() if i["direction"] == "inbound"]
            return items if len(items) == len(sent) else []

        shown = {(i["text"][:6], *i["flags"]) for i in await eventually(all_there)}
        assert shown == {
            ("caf\N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER}", "undecodable"),
            (
                "before",
                "undecodable",
            ),  # no database takes its NUL: the bytes are kept beside it
            ("xxxxxx", "truncated"),
        }


async def answers_still(gateway: GatewayProcess) -> None:
    async with SipUserAgent("101", gateway.sip_port) as anna:
        assert (await anna.ask(gateway.bot, "ping")).startswith("OK ping")
