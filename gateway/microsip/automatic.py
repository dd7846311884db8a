"""The channel that finds out by itself how MicroSIP can be reached."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from gateway.errors import PhoneError
from gateway.microsip.dmlerr import STUCK
from gateway.phone import PhoneCommand, Problem
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look
from gateway.ports import Channel

# Seconds for a DDE server to show up in. DDE asks every window on the desktop, and one that
# hangs would hold up each command.
PROBE_TIMEOUT = 1.0

T = TypeVar("T")

log = logging.getLogger(__name__)


class AutomaticChannel:
    """DDE where a server answers, else MicroSIP's window; asked again when that went away.

    A command goes to the other channel only when the first says that there is no MicroSIP:
    then it was not handed over.
    """

    simulated = False

    def __init__(
        self, *, dde: Channel, copydata: Channel, probe_timeout: float = PROBE_TIMEOUT
    ) -> None:
        self._dde = dde
        self._copydata = copydata
        self._probe_timeout = probe_timeout
        self._chosen: Channel | None = None

    @property
    def name(self) -> str:
        """Of the channel that was chosen; ``auto`` while none is."""
        return self._chosen.name if self._chosen else "auto"

    def phrase(self, command: PhoneCommand) -> str:
        return (self._chosen or self._dde).phrase(command)

    async def execute(self, command: PhoneCommand) -> None:
        await self._by_chosen(lambda channel: channel.execute(command))

    async def write(self, message: PhoneMessage) -> None:
        await self._by_chosen(lambda channel: channel.write(message))

    async def status(self) -> Look:
        return await self._by_chosen(lambda channel: channel.status())

    async def _by_chosen(self, action: Callable[[Channel], Awaitable[T]]) -> T:
        if self._chosen is not None:
            try:
                return await action(self._chosen)
            except PhoneError as exc:
                if exc.problem != Problem.NOT_RUNNING:
                    raise
                self._chosen = None
        return await action(await self._choose())

    async def _choose(self) -> Channel:
        """Raises PhoneError when there is nothing to choose."""
        no_server = await self._failure_of_dde()
        if no_server is None:
            return self._settle_on(self._dde)
        sure = no_server.problem == Problem.NOT_RUNNING
        try:
            await self._copydata.status()
        except PhoneError as no_window:
            if no_window.problem == Problem.NOT_RUNNING:
                if sure:
                    raise
                raise no_server from no_window
        if not sure:
            return self._copydata  # for once: a DDE server may show up when nothing hangs
        return self._settle_on(self._copydata)

    def _settle_on(self, channel: Channel) -> Channel:
        log.info("MicroSIP is driven by %s", channel.name)
        self._chosen = channel
        return channel

    async def _failure_of_dde(self) -> PhoneError | None:
        try:
            async with asyncio.timeout(self._probe_timeout):
                await self._dde.status()
        except TimeoutError:
            return PhoneError(Problem.NOT_RESPONDING, STUCK)
        except PhoneError as exc:
            return exc
        return None
