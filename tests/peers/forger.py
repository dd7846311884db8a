"""A user agent that lies: about who it is, where it sends from, which request it repeats."""

import asyncio
from dataclasses import dataclass

from tests.peers.kamailio import DOMAIN
from tests.peers.packet import Packet
from tests.peers.sip_ua import SipUserAgent

BOT = f"sip:bot@{DOMAIN}"
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a request the same one again (RFC 3261, section 8.2.2.2)."""

    call_id: str
    from_tag: str
    cseq: int


class Forger(SipUserAgent):
    """Says that it is *user*, perhaps from a certain *port*, or as the request *repeated*."""

    def __init__(
        self, user: str, server: int, *, port: int = 0, repeated: Identity | None = None
    ) -> None:
        super().__init__(user, server)
        self._port = port
        self._repeated = repeated

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", self._port))

    async def forge(
        self, text: str, request_uri: str = BOT, *extra: tuple[str, str]
    ) -> int | None:
        """A MESSAGE to the bot; its final status code, None when there is none in time."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.request(
                    "MESSAGE",
                    request_uri,
                    to=BOT,
                    body=text.encode(),
                    extra=(("Content-Type", "text/plain"), *extra),
                )
        except TimeoutError:
            return None

    async def forge_over_tcp(self, text: str, port: int) -> int:
        """The same over a connection of its own: PJSIP forgets such a request at once."""
        headers = self._headers("MESSAGE", BOT, "")
        headers = tuple((name, value.replace("/UDP", "/TCP")) for name, value in headers)
        packet = Packet(f"MESSAGE {BOT} SIP/2.0", headers, text.encode())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes(packet))
        async with asyncio.timeout(PATIENCE):
            answer = Packet.parse(await reader.readuntil(b"\r\n\r\n"))
        writer.close()
        return answer.status_code

    def repeat(self, same: Identity) -> None:
        """From now on."""
        self._repeated = same

    def _headers(self, method: str, to: str, call_id: str) -> tuple[tuple[str, str], ...]:
        headers = super()._headers(method, to, call_id)
        if self._repeated is None:
            return headers
        same = {
            "From": f"<{self.uri}>;tag={self._repeated.from_tag}",
            "Call-ID": self._repeated.call_id,
            "CSeq": f"{self._repeated.cseq} {method}",
        }
        return tuple((name, same.get(name, value)) for name, value in headers)
