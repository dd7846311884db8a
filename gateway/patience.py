"""Waiting for a database that is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from gateway.errors import StorageUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait between two calls to a store that is away; the wait doubles."""

    first: timedelta = timedelta(milliseconds=500)
    longest: timedelta = timedelta(seconds=30)

    async def insist(self, what: str, call: Callable[[], Awaitable[T]]) -> T:
        """Make the *call* until the store takes it; *what* says in the log what waits.

        Once for each reason: an outage may last for hours. Safe because a call that raises
        StorageUnavailable has changed nothing.
        """
        wait = self.first
        told = ""
        while True:
            try:
                return await call()
            except StorageUnavailable as exc:
                if str(exc) != told:
                    told = str(exc)
                    log.warning("%s waits for the database: %s", what, told)
            await asyncio.sleep(wait.total_seconds())
            wait = min(wait * 2, self.longest)
