"""The HTTP client of the command line."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote
from uuid import uuid4

from aiohttp import (
    ClientConnectionError,
    ClientConnectorError,
    ClientError,
    ClientSession,
    ClientTimeout,
    ConnectionTimeoutError,
    Fingerprint,
    ServerFingerprintMismatch,
    TCPConnector,
)

from gateway.errors import GatewayError
from gateway.web.local import LocalAccess, read_local_access

MAX_WAIT_SECONDS = 30
_PATIENCE = ClientTimeout(total=MAX_WAIT_SECONDS + 15, connect=5)

JsonObject = dict[str, Any]
T = TypeVar("T")


class GatewayUnreachable(GatewayError):
    """No gateway answers; the text says how to start one."""


class NoAnswer(GatewayError):
    """A gateway was asked, and no answer came; what it was told to do may be done."""


class RequestRefused(GatewayError):
    """The gateway answered with a problem document (RFC 9457)."""

    def __init__(self, status: int, document: JsonObject) -> None:
        super().__init__(_readable(status, document))
        self.status = status
        self.code = str(document.get("code", ""))
        self.document = document


def _readable(status: int, document: JsonObject) -> str:
    lines = [str(document.get("detail") or document.get("title") or f"HTTP {status}")]
    lines += [
        f"  {error.get('pointer') or error.get('parameter') or '(body)'}: {error.get('detail')}"
        for error in document.get("errors", ())
    ]
    return "\n".join(lines)


class GatewayClient:
    """A session with the running gateway; every method raises the three errors above."""

    def __init__(self, access: LocalAccess) -> None:
        self._access = access
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        pin = self._access.fingerprint
        self._session = ClientSession(
            timeout=_PATIENCE,
            headers={"Authorization": f"Bearer {self._access.token}"},
            connector=TCPConnector(ssl=Fingerprint(bytes.fromhex(pin)) if pin else True),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()
        self._session = None

    async def send(
        self, to: str, text: str, *, wait: int = 0, idempotency_key: str = ""
    ) -> JsonObject:
        """Queue a message; with *wait*, return once it is final or so many seconds passed."""
        headers = {"Idempotency-Key": idempotency_key or uuid4().hex}
        if wait:
            headers["Prefer"] = f"wait={min(wait, MAX_WAIT_SECONDS)}"
        return await self.post("/v1/messages", {"to": to, "text": text}, headers=headers)

    async def message(self, message_id: str) -> JsonObject:
        return await self.get(f"/v1/messages/{quote(message_id, safe='')}")

    async def history(
        self, query: str = "", *, limit: int = 20, cursor: str = ""
    ) -> JsonObject:
        """A page ``{items, next_cursor, prev_cursor}`` in the query language of the chat."""
        parameters = {"q": query, "limit": str(limit), "cursor": cursor}
        return await self.get("/v1/messages", {k: v for k, v in parameters.items() if v})

    async def phone_status(self) -> JsonObject:
        return await self.get("/v1/phone")

    async def phone(
        self, verb: str, argument: str = "", *, confirm: bool = False
    ) -> JsonObject:
        """Run one of the sixteen verbs; *confirm* is needed for ``close``."""
        body: JsonObject = {"argument": argument} if argument else {}
        if confirm:
            body["confirm"] = True
        return await self.post(f"/v1/phone/{quote(verb, safe='')}", body)

    async def command(self, text: str) -> JsonObject:
        """Run a line of the chat language: ``{id, outcome, reply}``."""
        return await self.post("/v1/commands", {"text": text})

    async def get(self, path: str, parameters: Mapping[str, str] | None = None) -> JsonObject:
        return await self._call("GET", path, params=parameters)

    async def post(
        self, path: str, body: JsonObject, *, headers: Mapping[str, str] | None = None
    ) -> JsonObject:
        return await self._call("POST", path, json=body, headers=headers)

    async def _call(self, method: str, path: str, **options: Any) -> JsonObject:
        assert self._session is not None, "used outside its async with"
        try:
            async with self._session.request(
                method, self._access.url + path, **options
            ) as response:
                document = _document(await response.text())
                status = response.status
        except ServerFingerprintMismatch as exc:
            raise GatewayUnreachable(
                f"{self._access.url} is another server than the gateway that runs on this"
                " data folder; it was not sent the token"
            ) from exc
        except (ClientConnectorError, ConnectionTimeoutError) as exc:
            raise GatewayUnreachable(
                f"no gateway answers at {self._access.url}: is the gateway running? "
                "Start it with: sip-gateway run"
            ) from exc
        except (ClientConnectionError, OSError) as exc:
            raise NoAnswer(
                f"the gateway at {self._access.url} did not answer; what it was told may have"
                " been carried out all the same: look before you repeat it"
            ) from exc
        except ClientError as exc:
            raise GatewayUnreachable(f"{self._access.url} is no gateway: {exc}") from exc
        if status >= 400:
            raise RequestRefused(status, document)
        return document


def _document(text: str) -> JsonObject:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def call_gateway(data_dir: Path, operation: Callable[[GatewayClient], Awaitable[T]]) -> T:
    """Run *operation* against the gateway of *data_dir*, from code that is not async."""
    access = read_local_access(data_dir)
    if access is None:
        raise GatewayUnreachable(
            f"no gateway runs on {data_dir}: is the gateway running? "
            "Start it with: sip-gateway run"
        )

    async def session() -> T:
        async with GatewayClient(access) as client:
            return await operation(client)

    return asyncio.run(session())
