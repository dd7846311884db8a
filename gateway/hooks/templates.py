"""Templates of the configuration, rendered where they can be ended."""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_SANDBOX = Path(__file__).with_name("sandbox.py")  # not imported: Jinja stays in the child
_PATIENCE = 4  # the child ends itself after its MAX_SECONDS; its start counts too
_MAX_LINE = 1024 * 1024

if sys.platform == "win32":
    _NO_WINDOW = subprocess.CREATE_NO_WINDOW
else:
    _NO_WINDOW = 0


@dataclass(frozen=True, slots=True)
class Broken:
    """The template gave no text."""

    reason: str


class TemplateSandbox:
    """One child process, started when first needed; one that hangs is replaced."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def render(self, template: str, document: dict[str, Any]) -> str | Broken:
        """The text, or why there is none; within a few seconds."""
        question = json.dumps({"template": template, "document": document}).encode() + b"\n"
        async with self._turn:
            answered = False
            try:
                async with asyncio.timeout(_PATIENCE):
                    line = await self._ask(question)
                answered = bool(line)
            except (TimeoutError, OSError):
                line = b""
            finally:
                if not answered:
                    await self._end()
        if not line:
            return Broken("it did not end, or needed too much memory")
        answer = json.loads(line)
        return Broken(answer["error"]) if "error" in answer else str(answer["text"])

    async def _ask(self, question: bytes) -> bytes:
        if self._process is None:
            self._process = await _start()
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(question)
        await stdin.drain()
        return await stdout.readline()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _start() -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # not this folder: what it holds is imported as gateway.hooks
        str(_SANDBOX),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        limit=_MAX_LINE,
        creationflags=_NO_WINDOW,
    )
