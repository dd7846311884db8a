"""What ``sip-gateway doctor`` says of MicroSIP: session, window, channel."""

import sys

from gateway.config import Phone
from gateway.errors import PhoneError
from gateway.microsip.channels import choose_channel
from gateway.microsip.remarks import Remark, remarks
from gateway.ports import Clock

REASONS = {
    "dde": "chosen because a DDE server answers",
    "copydata": "chosen because no DDE server answers, but its window is there",
    "auto": "nothing is chosen: neither a DDE server nor its window answers for sure",
}
NOT_HERE = "this is not Windows; a MicroSIP can only be simulated here: --demo"

if sys.platform == "win32":
    from gateway.microsip.local import facts

    async def _diagnose(phone: Phone, clock: Clock) -> list[Remark]:
        lines = list(remarks(facts(phone), phone))
        async with choose_channel(phone, demo=False, clock=clock) as channel:
            try:
                words = (await channel.status()).words
            except PhoneError as exc:
                by = f"by {channel.name} ({_why(phone.driver, channel.name)})"
                return [*lines, ("warn", f"{by}: {exc.detail}")]
            by = f"by {channel.name} ({_why(phone.driver, channel.name)})"
            said = f"Status is {words!r}" if words else "it reports no Status"
            return [*lines, ("ok", f"{by}: it answers, {said}")]

    def _why(driver: str, channel: str) -> str:
        return REASONS[channel] if driver == "auto" else "as configured"

else:

    async def _diagnose(phone: Phone, clock: Clock) -> list[Remark]:  # noqa: ARG001  as above
        return [("warn", NOT_HERE)]


async def diagnose(phone: Phone, *, clock: Clock) -> list[Remark]:
    """A line each, with what to do."""
    if phone.driver in {"none", "simulated"}:
        return [("ok", f"driver {phone.driver}, as configured")]
    return await _diagnose(phone, clock)
