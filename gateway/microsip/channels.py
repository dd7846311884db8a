"""Which channel the configuration asks for, on the platform at hand."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    nullcontext,
    suppress,
)

from gateway.clock import now
from gateway.config import Phone
from gateway.errors import PhoneError
from gateway.microsip.automatic import AutomaticChannel
from gateway.microsip.device import DeviceChannel
from gateway.microsip.no_phone import NoPhone
from gateway.microsip.process import MicroSipProcess
from gateway.microsip.simulated import SimulatedChannel, Tell, nobody
from gateway.microsip.starting import StartingChannel
from gateway.ports import Channel, Clock

OFF = "MicroSIP is switched off here; set [phone] driver to auto to use it"
NOT_WINDOWS = (
    "there is no MicroSIP on this system; run the gateway on the Windows PC that has it, "
    "or try it with --demo"
)

if sys.platform == "win32":
    from gateway.microsip.copydata import CopyDataChannel
    from gateway.microsip.dde import DdeChannel
    from gateway.microsip.local import LocalSound, microsip_process
    from gateway.microsip.window import UserDesktop

    @asynccontextmanager
    async def _real(phone: Phone) -> AsyncIterator[Channel]:
        process = microsip_process(phone)
        async with _running(phone, process) as channel:
            if not phone.start:
                yield channel
                return
            yield StartingChannel(inner=channel, start=process.start)

    def _running(
        phone: Phone, process: MicroSipProcess
    ) -> AbstractAsyncContextManager[Channel]:
        if phone.driver == "dde":
            return DdeChannel(phone.dde)
        if phone.driver == "copydata":
            return _by_window(phone, process)
        return _automatic(phone, process)

    @asynccontextmanager
    async def _by_window(phone: Phone, process: MicroSipProcess) -> AsyncIterator[Channel]:
        async with CopyDataChannel(
            desktop=UserDesktop(), executable=phone.executable, sleep=asyncio.sleep
        ) as channel:
            sound = LocalSound(process)
            yield DeviceChannel(inner=channel, process=process, sound=sound, clock=now)

    @asynccontextmanager
    async def _automatic(phone: Phone, process: MicroSipProcess) -> AsyncIterator[Channel]:
        async with DdeChannel(phone.dde) as dde, _by_window(phone, process) as copydata:
            channel = AutomaticChannel(dde=dde, copydata=copydata)
            with suppress(PhoneError):  # chosen now if it can be, else by the first command
                await channel.status()
            yield channel

else:

    def _real(phone: Phone) -> AbstractAsyncContextManager[Channel]:  # noqa: ARG001  as above
        return nullcontext(NoPhone(NOT_WINDOWS))


def choose_channel(
    phone: Phone, *, demo: bool, clock: Clock, tell: Tell = nobody
) -> AbstractAsyncContextManager[Channel]:
    """Every one of them finds a MicroSIP that is started later, or again."""
    if demo or phone.driver == "simulated":
        return nullcontext(SimulatedChannel(clock=clock, tell=tell))
    if phone.driver == "none":
        return nullcontext(NoPhone(OFF))
    return _real(phone)
