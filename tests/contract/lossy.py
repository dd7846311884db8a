"""A connection to PostgreSQL that breaks between a commit and its acknowledgement."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import make_url

_COMMITTED = b"COMMIT\0"  # the tag of PostgreSQL's CommandComplete


class LossyConnection:
    """A proxy; ``lose`` makes it keep acknowledgements of commits to itself."""

    def __init__(self, url: str) -> None:
        """Before the PostgreSQL at *url*."""
        self._behind = make_url(url)
        self._to_lose = 0
        self.url = ""

    def lose(self, acknowledgements: int) -> None:
        self._to_lose = acknowledgements

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["LossyConnection"]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            self.url = self._behind.set(port=port).render_as_string(hide_password=False)
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = self._behind.host, self._behind.port
        from_server, to_server = await asyncio.open_connection(host, port)
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(_copy(reader, to_server))
                await self._answer(from_server, writer)
        finally:
            to_server.close()
            writer.close()

    async def _answer(
        self, from_server: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await from_server.read(65536):
            if self._to_lose and _COMMITTED in data:
                self._to_lose -= 1
                break
            writer.write(data)
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()
