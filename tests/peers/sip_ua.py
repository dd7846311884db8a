"""A plain SIP user agent on a UDP socket: registers, sends MESSAGE, takes MESSAGE."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Self

from tests.peers.kamailio import DOMAIN, PASSWORD
from tests.peers.packet import Packet, credentials

T1 = 0.5  # RFC 3261, section 17.1.2.2: what the first retransmission waits
TIMER_F = 64 * T1


@dataclass(frozen=True, slots=True)
class Received:
    """A MESSAGE as it came in."""

    from_uri: str
    text: str
    content_type: str
    call_id: str


class SipUserAgent(asyncio.DatagramProtocol):
    """``sip:USER@office.example``; every request goes to *server*, a UDP port on loopback.

    Answers each MESSAGE with *answer* at once and keeps what it was sent, retransmissions
    aside. It may leave and come back; it comes back on another port.
    """

    def __init__(
        self, user: str, server: int, *, answer: int = 200, password: str = PASSWORD
    ) -> None:
        self.user = user
        self.uri = f"sip:{user}@{DOMAIN}"
        self.answer = answer
        self.received: asyncio.Queue[Received] = asyncio.Queue()
        self._server = server
        self._password = password
        self._transport: asyncio.DatagramTransport | None = None
        self._responses: dict[str, asyncio.Queue[Packet]] = {}
        self._seen: set[tuple[str, str]] = set()
        self._cseq = 0

    # --- lifetime ---------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    async def register(self, *, expires: int = 120) -> None:
        contact = f"<sip:{self.user}@{self.host_port}>;expires={expires}"
        status = await self.request(
            "REGISTER", f"sip:{DOMAIN}", to=self.uri, extra=(("Contact", contact),)
        )
        assert status == 200, f"REGISTER of {self.user}: {status}"

    async def leave(self) -> None:
        """Unregister, and be gone."""
        await self.register(expires=0)
        self.close()

    async def come_back(self) -> None:
        await self.open()
        await self.register()

    # --- messages ---------------------------------------------------------------------

    async def send(self, to: str, text: str, *, request_uri: str = "") -> int:
        """Send a MESSAGE and return the final status code, 408 if there is none."""
        uri = to if ":" in to else f"sip:{to}@{DOMAIN}"
        return await self.request(
            "MESSAGE",
            request_uri or uri,
            to=uri,
            body=text.encode(),
            extra=(("Content-Type", "text/plain"),),
        )

    async def next_message(self, seconds: float = 15) -> Received:
        async with asyncio.timeout(seconds):
            return await self.received.get()

    async def silence(self, seconds: float) -> bool:
        """Whether nothing comes in for that long."""
        try:
            await self.next_message(seconds)
        except TimeoutError:
            return True
        return False

    async def ask(self, to: str, text: str) -> str:
        """Send *text* and return the next message that comes in."""
        status = await self.send(to, text)
        assert status == 200, f"MESSAGE to {to}: {status}"
        return (await self.next_message()).text

    # --- transactions -----------------------------------------------------------------

    @property
    def host_port(self) -> str:
        host, port = self._socket.get_extra_info("sockname")
        return f"{host}:{port}"

    @property
    def _socket(self) -> asyncio.DatagramTransport:
        assert self._transport is not None, f"{self.user} has left"
        return self._transport

    async def request(
        self,
        method: str,
        request_uri: str,
        *,
        to: str,
        body: bytes = b"",
        extra: tuple[tuple[str, str], ...] = (),
    ) -> int:
        """One request, sent again with credentials when it is challenged."""
        call_id = secrets.token_hex(8)

        async def attempt(*authorization: tuple[str, str]) -> Packet | None:
            headers = self._headers(method, to, call_id) + extra + authorization
            start_line = f"{method} {request_uri} SIP/2.0"
            return await self._transact(Packet(start_line, headers, body))

        response = await attempt()
        if response is not None and response.status_code in (401, 407):
            response = await attempt(self._authorization(response, method, request_uri))
        return 408 if response is None else response.status_code

    def _headers(self, method: str, to: str, call_id: str) -> tuple[tuple[str, str], ...]:
        self._cseq += 1
        branch = f"z9hG4bK{secrets.token_hex(8)}"
        return (
            ("Via", f"SIP/2.0/UDP {self.host_port};rport;branch={branch}"),
            ("Max-Forwards", "70"),
            ("From", f"<{self.uri}>;tag={secrets.token_hex(4)}"),
            ("To", f"<{to}>"),
            ("Call-ID", call_id),
            ("CSeq", f"{self._cseq} {method}"),
        )

    def _authorization(self, response: Packet, method: str, uri: str) -> tuple[str, str]:
        www = response.status_code == 401
        challenge = response.header("WWW-Authenticate" if www else "Proxy-Authenticate")
        value = credentials(
            challenge, username=self.user, password=self._password, method=method, uri=uri
        )
        return ("Authorization" if www else "Proxy-Authorization", value)

    async def _transact(self, request: Packet) -> Packet | None:
        """The final response, or None after timer F."""
        branch = request.header("Via").partition("branch=")[2]
        responses = self._responses[branch] = asyncio.Queue()
        wait = T1
        try:
            async with asyncio.timeout(TIMER_F):
                while True:
                    self._socket.sendto(bytes(request), ("127.0.0.1", self._server))
                    response = await _final(responses, wait)
                    if response is not None:
                        return response
                    wait = min(2 * wait, 4.0)
        except TimeoutError:
            return None
        finally:
            del self._responses[branch]

    # --- the socket -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # of datagrams
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        if not data.strip():
            return  # a keep-alive
        packet = Packet.parse(data)
        if packet.is_response:
            branch = packet.header("Via").partition("branch=")[2].partition(";")[0]
            if responses := self._responses.get(branch):
                responses.put_nowait(packet)
            return
        self._take(packet)
        if self._transport is not None:
            reason = "OK" if self.answer == 200 else "No"
            self._transport.sendto(bytes(packet.response(self.answer, reason)), address)

    def _take(self, packet: Packet) -> None:
        key = (packet.header("Call-ID"), packet.header("CSeq"))
        if packet.method != "MESSAGE" or key in self._seen:
            return
        self._seen.add(key)
        sender = packet.header("From").partition("<")[2].partition(">")[0]
        self.received.put_nowait(
            Received(sender, packet.body.decode(), packet.header("Content-Type"), key[0])
        )


async def _final(responses: "asyncio.Queue[Packet]", seconds: float) -> Packet | None:
    """The next final response within *seconds*; provisional ones are passed over."""
    try:
        async with asyncio.timeout(seconds):
            while (response := await responses.get()).status_code < 200:
                pass
            return response
    except TimeoutError:
        return None
