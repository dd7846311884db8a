"""A small SIP peer on plain sockets: user agent, registrar, or silence."""

import asyncio
import hashlib
import itertools
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

HOST = "127.0.0.1"
REALM = "office.test"
NONCE = "f00dfeed"

_HEADER = re.compile(r"^([\w-]+)\s*:\s*(.*?)\r?$", re.MULTILINE)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Packet:
    """A request or response as it stood on the wire."""

    raw: bytes
    transport: str
    head: str = field(init=False)
    body: bytes = field(init=False)

    def __post_init__(self) -> None:
        head, _, body = self.raw.partition(b"\r\n\r\n")
        object.__setattr__(self, "head", head.decode("latin-1"))
        object.__setattr__(self, "body", body)

    @property
    def start_line(self) -> str:
        return self.head.partition("\r\n")[0]

    @property
    def method(self) -> str:
        return self.start_line.partition(" ")[0]

    @property
    def status_code(self) -> int:
        return int(self.start_line.split()[1])

    def header(self, name: str) -> str:
        values = [v for key, v in _HEADER.findall(self.head) if key.lower() == name.lower()]
        return values[0] if values else ""


@dataclass(frozen=True)
class Reply:
    """What the peer answers a request."""

    status_code: int
    reason: str = "Reason"
    headers: tuple[str, ...] = ()


Answering = Callable[[Packet], Reply | None]


def ok(_request: Packet) -> Reply:
    return Reply(200, "OK")


def silent(_request: Packet) -> None:
    return None


def always(reply: Reply) -> Answering:
    return lambda _request: reply


def registered(request: Packet) -> Reply:
    contact, expires = request.header("Contact"), request.header("Expires")
    bindings = (f"Contact: {contact};expires={expires}",) if expires != "0" else ()
    return Reply(200, "OK", bindings)


def challenged(username: str, password: str, header: str = "Authorization") -> Answering:
    """401 (or 407) until the digest of *password* comes with the request (RFC 8760, MD5)."""
    code, name = (
        (401, "WWW-Authenticate") if header == "Authorization" else (407, "Proxy-Authenticate")
    )

    def answer(request: Packet) -> Reply:
        if _digest_fits(request, request.header(header), username, password):
            return registered(request) if request.method == "REGISTER" else Reply(200, "OK")
        challenge = f'{name}: Digest realm="{REALM}", nonce="{NONCE}", qop="auth"'
        return Reply(code, "Unauthorized", (challenge,))

    return answer


def _digest_fits(request: Packet, value: str, username: str, password: str) -> bool:
    given: dict[str, str] = {
        key: quoted or token
        for key, quoted, token in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]+))', value)
    }
    if given.get("nonce") != NONCE or given.get("username") != username:
        return False
    ha1 = _md5(f"{username}:{REALM}:{password}")
    ha2 = _md5(f"{request.method}:{given['uri']}")
    middle = ":".join(given[key] for key in ("nonce", "nc", "cnonce", "qop"))
    return given["response"] == _md5(f"{ha1}:{middle}:{ha2}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class Peer(asyncio.DatagramProtocol):
    """Listens on UDP and, with the same port, on TCP; answers each method as it is told.

    With *tls* it speaks that in the place of plain TCP.
    """

    def __init__(self, tls: ssl.SSLContext | None = None, **answers: Answering) -> None:
        self._tls = tls
        self.answers: dict[str, Answering] = {"MESSAGE": ok, "REGISTER": ok, **answers}
        self.requests: asyncio.Queue[Packet] = asyncio.Queue()
        self.responses: asyncio.Queue[Packet] = asyncio.Queue()
        self.acknowledged: set[str] = set()
        """Call-IDs of what was ever answered 200."""

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._tcp = await asyncio.start_server(self._serve, HOST, 0, ssl=self._tls)
        self.port: int = self._tcp.sockets[0].getsockname()[1]
        self._udp, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(HOST, self.port)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()
        self._tcp.close()

    @property
    def uri(self) -> str:
        return f"sip:peer@{HOST}:{self.port}"

    # --- UDP ---------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not data.strip():
            return
        packet = Packet(data, "UDP")
        if (answer := self._take(packet)) is not None:
            self._udp.sendto(answer, addr)

    def send(self, raw: bytes, port: int) -> None:
        self._udp.sendto(raw, (HOST, port))

    async def ask(self, raw: bytes, port: int, *, within: float = 5) -> Packet:
        """Send a request, and wait for its own final response."""
        self.send(raw, port)
        call_id = Packet(raw, "UDP").header("Call-ID")
        async with asyncio.timeout(within):
            while (packet := await self.final(within)).header("Call-ID") != call_id:
                pass
            return packet

    async def persist(self, raw: bytes, port: int, within: float) -> Packet:
        """Send a request again and again, as a client would, until it is answered."""
        async with asyncio.timeout(within):
            while True:
                try:
                    return await self.ask(raw, port, within=0.2)
                except TimeoutError:
                    continue

    async def final(self, within: float = 5) -> Packet:
        async with asyncio.timeout(within):
            while (packet := await self.responses.get()).status_code < 200:
                pass
            return packet

    async def is_silent(self, seconds: float) -> bool:
        """Whether no response comes for *seconds*."""
        try:
            await self.final(seconds)
        except TimeoutError:
            return True
        return False

    async def next(self, method: str, within: float = 10) -> Packet:
        """The next request of *method*; others before it are dropped."""
        async with asyncio.timeout(within):
            while (packet := await self.requests.get()).method != method:
                pass
            return packet

    # --- TCP ---------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (raw := await read_packet(reader)) is not None:
                packet = Packet(raw, "TLS" if self._tls else "TCP")
                if (answer := self._take(packet)) is not None:
                    writer.write(answer)
        finally:
            writer.close()

    def _take(self, packet: Packet) -> bytes | None:
        if packet.start_line.startswith("SIP/2.0"):
            self.responses.put_nowait(packet)
            if packet.status_code == 200:
                self.acknowledged.add(packet.header("Call-ID"))
            return None
        self.requests.put_nowait(packet)
        reply = self.answers.get(packet.method, silent)(packet)
        return None if reply is None else response_to(packet, reply)


async def read_packet(reader: asyncio.StreamReader) -> bytes | None:
    """One SIP message of a stream (RFC 3261, section 18.3); None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?im)^(?:Content-Length|l)\s*:\s*(\d+)", head)
        return head + await reader.readexactly(int(length[1]) if length else 0)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def ask_over_tcp(
    raw: bytes, port: int, within: float = 5, *, tls: ssl.SSLContext | None = None
) -> Packet | None:
    """Send over a connection of its own; None when no response comes *within* seconds."""
    reader, writer = await asyncio.open_connection(HOST, port, ssl=tls)
    try:
        writer.write(raw)
        answer = await asyncio.wait_for(read_packet(reader), within)
    except TimeoutError:
        return None
    finally:
        writer.close()
    return None if answer is None else Packet(answer, "TCP")


def response_to(request: Packet, reply: Reply) -> bytes:
    lines = [
        f"SIP/2.0 {reply.status_code} {reply.reason}",
        *(f"Via: {v}" for k, v in _HEADER.findall(request.head) if k.lower() == "via"),
        f"From: {request.header('From')}",
        f"To: {request.header('To')};tag=peer",
        f"Call-ID: {request.header('Call-ID')}",
        f"CSeq: {request.header('CSeq')}",
        *reply.headers,
        "Content-Length: 0",
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def message(
    text: str | bytes = "hello",
    *,
    via_port: int,
    transport: str = "UDP",
    method: str = "MESSAGE",
    uri: str = "sip:bot@127.0.0.1",
    changed: Mapping[str, str | None] | None = None,
) -> bytes:
    """A request with headers *changed* (None: left out); each call is a new transaction."""
    body = text if isinstance(text, bytes) else text.encode()
    number = next(_numbers)
    headers: dict[str, str | None] = {
        "Via": f"SIP/2.0/{transport} {HOST}:{via_port};branch=z9hG4bK{number};rport",
        "Max-Forwards": "70",
        "From": "<sip:101@127.0.0.1>;tag=a1",
        "To": "<sip:bot@127.0.0.1>",
        "Call-ID": f"call-{number}",
        "CSeq": f"{number} {method}",
        "Contact": f"<sip:101@{HOST}:{via_port}>" if method != "MESSAGE" else None,
        "Content-Type": "text/plain",
        "Content-Length": str(len(body)),
        **(changed or {}),
    }
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([f"{method} {uri} SIP/2.0", *lines, "", ""]).encode() + body
