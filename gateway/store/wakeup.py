"""Wake-up between the nodes of a PostgreSQL database, by LISTEN and NOTIFY."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.patience import Patience
from gateway.store.database import Database

CHANNEL = "sip_gateway_due"
_CHECKED_EVERY = 30.0
_APART = 0.05
"""Seconds: others tell of each transaction, and one look finds what many of them made due."""
_NOTIFY = select(func.pg_notify(CHANNEL, bindparam("node")))

log = logging.getLogger(__name__)


async def tell(connection: AsyncConnection, node: str) -> None:
    """With the commit of the caller's transaction the other nodes hear: something is due."""
    if connection.dialect.name == "postgresql":
        await connection.execute(_NOTIFY, {"node": node})


class Wakeup:
    """Wakes this node when another one made something due.

    What is told while the connection is away is missed, so that its return wakes too.
    """

    def __init__(
        self, *, database: Database, wake: Callable[[], None], patience: Patience
    ) -> None:
        self._database = database
        self._wake = wake
        self._patience = patience
        self._told = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; on SQLite there is nobody to hear of."""
        if self._database.is_sqlite:
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(), name="listen")
            while True:
                await self._told.wait()
                self._told.clear()
                self._wake()
                await asyncio.sleep(_APART)

    async def _listen(self) -> None:
        while True:
            await self._patience.insist("hearing of other gateways", self._hear)
            log.warning("the connection by which other gateways are heard ended")
            await asyncio.sleep(self._patience.first.total_seconds())

    async def _hear(self) -> None:
        """As long as the connection is there."""
        ended = asyncio.Event()
        async with self._database.connected() as connection:
            with self._database.translated():
                driver: Any = (await connection.get_raw_connection()).driver_connection
                driver.add_termination_listener(lambda _: ended.set())
                await driver.add_listener(CHANNEL, self._heard)
                self._told.set()
                while not await _comes(ended, _CHECKED_EVERY):
                    await connection.execute(select(1))  # it may have ended unheard

    def _heard(self, _connection: Any, _pid: int, _channel: str, node: str) -> None:
        if node != self._database.node:
            self._told.set()


async def _comes(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
