"""A receiver of webhooks: a real HTTP server that checks signatures."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"fedcba9876543210fedcba9876543210").decode()

CLOSING = web.AppKey("closing", asyncio.Event)
"""Set when the server is to end; until then a script may let its client wait."""
Script = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Posted:
    """A request as it came."""

    id: str
    timestamp: str
    signatures: tuple[str, ...]
    body: bytes
    content_type: str

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    def signed_with(self, secret: str) -> bool:
        """Computed here anew, not by what is tested."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        content = f"{self.id}.{self.timestamp}.".encode() + self.body
        digest = hmac.new(key, content, hashlib.sha256).digest()
        return f"v1,{base64.b64encode(digest).decode()}" in self.signatures


class WebhookReceiver:
    """Answers by its script, then 204; None in a script never answers."""

    def __init__(self, *script: web.Response | Script | None) -> None:
        self.posted: list[Posted] = []
        self._script = deque(script)
        self._arrival = asyncio.Condition()
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    async def __aenter__(self) -> Self:
        application = web.Application()
        application[CLOSING] = self._closing
        application.router.add_post("/events", self._take)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        self._closing.set()
        await self._runner.cleanup()

    async def until_posted(self, count: int = 1, *, within: float = 5) -> list[Posted]:
        """Everything posted so far, once it is *count* requests."""
        async with asyncio.timeout(within), self._arrival:
            await self._arrival.wait_for(lambda: len(self.posted) >= count)
        return self.posted

    def answer_all(self) -> None:
        """Forget what is left of the script."""
        self._script.clear()
        self.posted.clear()

    async def until_told(self, texts: Sequence[str], *, within: float) -> list[Posted]:
        """Everything posted so far, once the text of each message is in it."""

        def all_there() -> bool:
            told = {posted.document["data"]["text"] for posted in self.posted}
            return told >= set(texts)

        async with asyncio.timeout(within), self._arrival:
            await self._arrival.wait_for(all_there)
        return self.posted

    async def _take(self, request: web.Request) -> web.StreamResponse:
        posted = Posted(
            id=request.headers["webhook-id"],
            timestamp=request.headers["webhook-timestamp"],
            signatures=tuple(request.headers["webhook-signature"].split()),
            body=await request.read(),
            content_type=request.content_type,
        )
        answer = self._script.popleft() if self._script else web.Response(status=204)
        async with self._arrival:
            self.posted.append(posted)
            self._arrival.notify_all()
        if answer is None:
            await self._closing.wait()
            return web.Response(status=503)
        return answer if isinstance(answer, web.Response) else await answer(request)
