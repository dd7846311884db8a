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

from gateway.config import Phone
from gateway.errors import PhoneError
from gateway.microsip.automatic import AutomaticChannel
from gateway.microsip.no_phone import NoPhone
from gateway.microsip.simulated import SimulatedChannel
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
    from gateway.microsip.local import microsip_process
    from gateway.microsip.window import UserDesktop

    @asynccontextmanager
    async def _real(phone: Phone) -> AsyncIterator[Channel]:
        async with _running(phone) as channel:
            if not phone.start:
                yield channel
                return
            yield StartingChannel(inner=channel, start=microsip_process(phone).start)

    def _running(phone: Phone) -> AbstractAsyncContextManager[Channel]:
        if phone.driver == "dde":
            return DdeChannel(phone.dde)
        if phone.driver == "copydata":
            return _by_window(phone)
        return _automatic(phone)

    def _by_window(phone: Phone) -> CopyDataChannel:
        return CopyDataChannel(
            desktop=UserDesktop(), executable=phone.executable, sleep=asyncio.sleep
        )

    @asynccontextmanager
    async def _automatic(phone: Phone) -> AsyncIterator[Channel]:
        async with DdeChannel(phone.dde) as dde, _by_window(phone) as copydata:
            channel = AutomaticChannel(dde=dde, copydata=copydata)
            with suppress(PhoneError):  # chosen now if it can be, else by the first command
                await channel.status()
            yield channel

else:

    def _real(phone: Phone) -> AbstractAsyncContextManager[Channel]:  # noqa: ARG001  as above
        return nullcontext(NoPhone(NOT_WINDOWS))


def choose_channel(
    phone: Phone, *, demo: bool, clock: Clock
) -> AbstractAsyncContextManager[Channel]:
    """Every one of them finds a MicroSIP that is started later, or again."""
    if demo or phone.driver == "simulated":
        return nullcontext(SimulatedChannel(clock=clock))
    if phone.driver == "none":
        return nullcontext(NoPhone(OFF))
    return _real(phone)
