"""Which channel the configuration asks for, on the platform at hand."""

import sys
from contextlib import AbstractAsyncContextManager, nullcontext

from gateway.config import Dde, Phone
from gateway.microsip.no_phone import NoPhone
from gateway.microsip.simulated import SimulatedChannel
from gateway.ports import Channel, Clock

OFF = "MicroSIP is switched off here; set [phone] driver to auto to use it"
NO_COPYDATA = '[phone] driver "copydata" is not there yet; use "auto" or "dde"'
NOT_WINDOWS = (
    "there is no MicroSIP on this system; run the gateway on the Windows PC that has it, "
    "or try it with --demo"
)

if sys.platform == "win32":
    from gateway.microsip.dde import DdeChannel

    def _by_dde(settings: Dde) -> AbstractAsyncContextManager[Channel]:
        return DdeChannel(settings)

else:

    def _by_dde(settings: Dde) -> AbstractAsyncContextManager[Channel]:  # noqa: ARG001  as above
        return nullcontext(NoPhone(NOT_WINDOWS))


def choose_channel(
    phone: Phone, *, demo: bool, clock: Clock
) -> AbstractAsyncContextManager[Channel]:
    """``auto`` is DDE on Windows, where MicroSIP may be started later or again."""
    if demo or phone.driver == "simulated":
        return nullcontext(SimulatedChannel(clock=clock))
    if phone.driver == "none":
        return nullcontext(NoPhone(OFF))
    if phone.driver == "copydata":
        return nullcontext(NoPhone(NO_COPYDATA))
    return _by_dde(phone.dde)
