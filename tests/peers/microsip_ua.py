"""The test's end of a MicroSIP-like user agent that runs in a process of its own."""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE
from typing import Any, Self


class MicroSipUserAgent:
    """``sip:USER@office.example``, registered while it is entered."""

    def __init__(self, user: str, registrar: int) -> None:
        self._arguments = (user, str(registrar))

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.peers.microsip_like", *self._arguments),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=DEVNULL,
        )
        assert await self._next() == {"registered": 200}
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        await self._process.communicate()

    async def next_message(self) -> str:
        """The text of the message it shows next."""
        while "text" not in (shown := await self._next()):
            pass
        return str(shown["text"])

    async def _next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        async with asyncio.timeout(15):
            shown: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return shown
