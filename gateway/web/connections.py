"""The limit on HTTP connections, beyond which one is answered and closed."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from gateway.web.problem import CONTENT_TYPE, Code, HttpProblem

MOST_CONNECTIONS = 500
"""Half of the files that a process may usually open: the store and SIP need theirs."""

_FULL = HttpProblem(
    Code.RATE_LIMITED, "too many connections are open; close those not in use, then retry"
)


def at_most(most: int, server: web.Server) -> Callable[[], asyncio.Protocol]:
    """What a new connection is given to: *server*, while it has fewer than *most*."""

    def connected() -> asyncio.Protocol:
        return server() if len(server.connections) < most else _TurnedAway()

    return connected


class _TurnedAway(asyncio.Protocol):
    """Answers before it has read a request: to read them all is what there is no room for."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        body = _FULL.document(request_id="").encode()
        head = (
            f"HTTP/1.1 {_FULL.code.status} {_FULL.code.summary}\r\n"
            f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
            "Retry-After: 5\r\nConnection: close\r\n\r\n"
        )
        transport.write(head.encode() + body)
        transport.close()
