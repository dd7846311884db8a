"""Somebody else's SIP client: baresip, driven by its console."""

import asyncio
import re
import shutil
import tempfile
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Self

from tests.peers.kamailio import DOMAIN, PASSWORD

_CONFIGURATION = """\
poll_method epoll
sip_listen 127.0.0.1:0
module_path /usr/lib/baresip/modules
module account.so
module contact.so
module menu.so
module stdio.so
"""
_INCOMING = re.compile(r'\r(?P<peer>sips?:\S+): "(?P<text>.*)"')


class Baresip:
    """``sip:USER@office.example``, registered, with *contact* as the one it writes to."""

    def __init__(self, user: str, registrar: int, contact: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="baresip-"))
        (self._folder / "config").write_text(_CONFIGURATION)
        (self._folder / "contacts").write_text(f'"Contact" <{contact}>\n')
        (self._folder / "accounts").write_text(
            f"<sip:{user}@{DOMAIN}>;auth_user={user};auth_pass={PASSWORD};regint=60"
            f';outbound="sip:127.0.0.1:{registrar}"\n'
        )

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            "baresip", "-f", str(self._folder), stdin=PIPE, stdout=PIPE, stderr=STDOUT
        )
        await self._line(re.compile("registered successfully"))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        await self._process.communicate()
        shutil.rmtree(self._folder)

    def write(self, text: str) -> None:
        """Send *text*, one line, to the contact."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"/message {text}\n".encode())

    async def next_message(self) -> str:
        """The first line of what it shows next as an incoming message."""
        return (await self._line(_INCOMING))["text"]

    async def _line(self, wanted: re.Pattern[str]) -> re.Match[str]:
        """The next line of its console that has *wanted* in it."""
        assert self._process.stdout is not None
        async with asyncio.timeout(15):
            async for line in self._process.stdout:
                if match := wanted.search(line.decode(errors="replace")):
                    return match
        raise EOFError("baresip ended")
