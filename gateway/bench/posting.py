"""Messages posted over connections that are kept, at next to no cost of their own."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import uuid4

from gateway.bench.processes import BenchError
from gateway.web.local import LocalAccess

CONNECTIONS = 64
_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)", re.IGNORECASE)


class Poster:
    """Posts one message at a time on each connection, and reads each answer to its end.

    An HTTP library would take more of the processor than the gateway that is measured.
    """

    def __init__(self, access: LocalAccess, *, keyed: bool) -> None:
        """*keyed*: each message has an idempotency key, as from who may repeat it."""
        address = urlsplit(access.url)
        self._host, self._port = address.hostname or "", address.port or 80
        self._head = (
            f"POST /v1/messages HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: Bearer {access.token}\r\nContent-Type: application/json\r\n"
        )
        self._keyed = keyed
        self._idle: asyncio.LifoQueue[_Connection] = asyncio.LifoQueue()
        self._opened: list[_Connection] = []

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(CONNECTIONS):
            _, connection = await loop.create_connection(_Connection, self._host, self._port)
            self._opened.append(connection)
            self._idle.put_nowait(connection)

    def close(self) -> None:
        for connection in self._opened:
            connection.close()

    async def send(self, to: str, text: str) -> None:
        """Returns when the message is accepted; raises BenchError when it is not."""
        body = json.dumps({"to": to, "text": text})
        key = f"Idempotency-Key: {uuid4().hex}\r\n" if self._keyed else ""
        request = f"{self._head}{key}Content-Length: {len(body)}\r\n\r\n{body}"
        connection = await self._idle.get()
        answer = await connection.exchange(request.encode("ascii"))
        self._idle.put_nowait(connection)
        if not answer.startswith(b"HTTP/1.1 202 "):
            raise BenchError(f"not accepted: {answer[-500:].decode(errors='replace')}")


@asynccontextmanager
async def poster(access: LocalAccess, *, keyed: bool = False) -> AsyncIterator[Poster]:
    """Open while its context is."""
    opened = Poster(access, keyed=keyed)
    try:
        await opened.open()
        yield opened
    finally:
        opened.close()


class _Connection(asyncio.Protocol):
    """Carries one request after the other."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._answer: asyncio.Future[bytes] | None = None

    async def exchange(self, request: bytes) -> bytes:
        """The whole answer; raises BenchError when the connection ends before it."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of streams
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or length is None or len(body) < int(length[1]):
            return
        answer, self._received = self._received, b""
        if self._answer is not None:
            self._answer.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(BenchError(f"the gateway closed the connection: {exc}"))
