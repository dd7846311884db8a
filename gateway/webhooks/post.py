"""The POST requests to one endpoint, the only HTTP that leaves the gateway."""

import errno
import socket
from contextlib import AsyncExitStack
from functools import partial
from typing import Self

from aiohttp import (
    AddrInfoType,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)

from gateway.config import WebhookEndpoint
from gateway.ports import Clock
from gateway.version import VERSION
from gateway.webhook_delivery import WebhookDelivery
from gateway.webhooks.addresses import may_be_reached
from gateway.webhooks.schedule import Answer
from gateway.webhooks.signature import signed_headers

TIMEOUT = 15.0
"""Seconds, from the look-up of the name to the end of the answer."""
_EXCERPT = 200
_HEADERS = {
    "Content-Type": "application/json",
    "User-Agent": f"sip-gateway/{VERSION}",
    "Accept-Encoding": "identity",
}


class Post:
    """Posts to an endpoint while its context is open."""

    def __init__(
        self, *, endpoint: WebhookEndpoint, clock: Clock, timeout: float = TIMEOUT
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._timeout = ClientTimeout(total=timeout)
        self._stack = AsyncExitStack()
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        guard = partial(_socket, self._endpoint.private_networks)
        session = ClientSession(
            connector=TCPConnector(limit=0, socket_factory=guard),
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            timeout=self._timeout,
            headers=_HEADERS,
        )
        self._session = await self._stack.enter_async_context(session)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def send(self, delivery: WebhookDelivery) -> Answer:
        """One attempt; whatever goes wrong is an answer."""
        assert self._session is not None, "the context is not open"
        body = delivery.body.encode()
        headers = signed_headers(self._endpoint.keys, delivery.event_id, self._clock(), body)
        try:
            async with self._session.post(
                self._endpoint.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return await _answer(response)
        except TimeoutError:
            return _no_answer(f"no answer within {self._timeout.total:g} s")
        except ClientConnectorError as exc:
            return _no_answer(exc.os_error.strerror or str(exc))
        except (ClientError, OSError, ValueError) as exc:  # ValueError: a host no DNS can ask
            return _no_answer(str(exc) or type(exc).__name__)


def _socket(private_networks: bool, to: AddrInfoType) -> socket.socket:  # noqa: FBT001  bound
    """For a connection to an address, however the name was resolved to it."""
    family, kind, protocol, _, address = to
    host = str(address[0])
    if not may_be_reached(host, private_networks=private_networks):
        hint = "" if private_networks else "; private_networks = true opens the office's own"
        raise PermissionError(errno.EACCES, f"nothing is sent to the address {host}{hint}")
    return socket.socket(family, kind, protocol)


async def _answer(response: ClientResponse) -> Answer:
    status, reason = response.status, response.reason or ""
    if 300 <= status < 400:
        location = response.headers.get("Location", "")
        reason += f": redirects are not followed, set url instead: {location}"
    elif status >= 400:
        reason += f": {await _excerpt(response)}"
    return Answer(
        status_code=status,
        reason=_printable(reason),
        retry_after=response.headers.get("Retry-After", ""),
    )


async def _excerpt(response: ClientResponse) -> str:
    try:
        return (await response.content.read(_EXCERPT)).decode(errors="replace")
    except (ClientError, OSError):
        return ""  # the status came, and counts


def _no_answer(reason: str) -> Answer:
    return Answer(status_code=None, reason=_printable(reason))


def _printable(text: str) -> str:
    text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())[:_EXCERPT].rstrip(": ")
