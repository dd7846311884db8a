"""A SIP peer on a UDP socket that notes when each MESSAGE comes in."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_COPIED = re.compile(
    rb"^(?:Via|From|To|Call-ID|CSeq)[ \t]*:[^\r\n]*", re.MULTILINE | re.IGNORECASE
)
_CONTACT = re.compile(rb"^Contact[ \t]*:[^\r\n]*", re.MULTILINE | re.IGNORECASE)


class Peer(asyncio.DatagramProtocol):
    """Answers every request with 200, REGISTER too, as a registrar does."""

    def __init__(self) -> None:
        self.port = 0
        self.registered = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None
        self._awaited: dict[str, asyncio.Future[float]] = {}

    def awaits(self, text: str) -> asyncio.Future[float]:
        """The loop's time when a MESSAGE with *text* in its body comes in."""
        return self._awaited.setdefault(text, asyncio.get_running_loop().create_future())

    def send(self, text: str, *, user: str, port: int) -> None:
        """A MESSAGE of *user* to the bot there; its answer is not waited for."""
        assert self._transport is not None
        here = f"127.0.0.1:{self.port}"
        body = text.encode()
        head = (
            f"MESSAGE sip:bot@127.0.0.1:{port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{secrets.token_hex(8)}\r\n"
            f"From: <sip:{user}@{here}>;tag={secrets.token_hex(4)}\r\n"
            f"To: <sip:bot@127.0.0.1:{port}>\r\nCall-ID: {secrets.token_hex(8)}\r\n"
            "CSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\nContent-Type: text/plain\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._transport.sendto(head.encode() + body, ("127.0.0.1", port))

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # of datagrams
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        now = asyncio.get_running_loop().time()
        if data.startswith(b"SIP/2.0 ") or not data.strip():
            return
        assert self._transport is not None
        self._transport.sendto(_ok(data), address)
        if data.startswith(b"MESSAGE "):
            self._note(data.partition(b"\r\n\r\n")[2].decode(), now)
        elif data.startswith(b"REGISTER "):
            self.registered.set()

    def _note(self, body: str, now: float) -> None:
        text = next((text for text in self._awaited if text in body), None)
        if text is not None:
            awaited = self._awaited.pop(text)
            if not awaited.done():
                awaited.set_result(now)


@asynccontextmanager
async def peer() -> AsyncIterator[Peer]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Peer, local_addr=("127.0.0.1", 0))
    try:
        yield protocol
    finally:
        transport.close()


def _ok(request: bytes) -> bytes:
    """RFC 3261, section 8.2.6; for a REGISTER with its binding (section 10.3)."""
    head = request.partition(b"\r\n\r\n")[0]
    lines = [b"SIP/2.0 200 OK"]
    for line in _COPIED.findall(head):
        untagged = line[:2].lower() == b"to" and b";tag=" not in line
        lines.append(line + b";tag=bench" if untagged else line)
    if request.startswith(b"REGISTER "):
        lines += [line + b";expires=120" for line in _CONTACT.findall(head)]
    return b"\r\n".join([*lines, b"Content-Length: 0", b"", b""])
