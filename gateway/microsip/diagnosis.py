"""What ``sip-gateway doctor`` says of MicroSIP: session, window, channel."""

import sys
from collections.abc import Iterator
from typing import Literal

from gateway.config import Phone
from gateway.errors import PhoneError
from gateway.microsip.channels import choose_channel
from gateway.microsip.installation import find_ini, this_pc
from gateway.microsip.instance import Instance
from gateway.microsip.versions import Version
from gateway.ports import Clock

SESSION_0 = (
    "this is session 0, which sees no window of the user's; start the gateway in the user's"
    " session, by Task Scheduler at log-on"
)

REASONS = {
    "dde": "chosen because a DDE server answers",
    "copydata": "chosen because no DDE server answers, but its window is there",
    "auto": "nothing is chosen: neither a DDE server nor its window answers for sure",
}

Grade = Literal["ok", "warn", "fail"]

if sys.platform == "win32":
    from gateway.microsip.user_processes import UserProcesses
    from gateway.microsip.window import UserDesktop

    def _desktop() -> Iterator[tuple[Grade, str]]:
        session = UserProcesses().session()
        if session == 0:
            yield "fail", SESSION_0
        desktop = UserDesktop()
        running = desktop.instances()
        for instance in running:
            yield "ok", _found(instance, desktop.version(instance), session)
        if not running:
            yield "warn", f"no window of it on this desktop (session {session}); start MicroSIP"

else:

    def _desktop() -> Iterator[tuple[Grade, str]]:
        yield "warn", "this is not Windows; a MicroSIP can only be simulated here: --demo"


def _found(instance: Instance, version: Version | None, session: int) -> str:
    what = f"version {version}" if version else "its version is unknown: taken for the oldest"
    where = instance.executable or "Windows does not tell from where"
    return f"its window is on this desktop (session {session}): {what}, {where}"


def _why(driver: str, channel: str) -> str:
    return REASONS[channel] if driver == "auto" else "as configured"


async def diagnose(phone: Phone, *, clock: Clock) -> list[tuple[Grade, str]]:
    """A line each, with what to do."""
    if phone.driver in {"none", "simulated"}:
        return [("ok", f"driver {phone.driver}, as configured")]
    lines = list(_desktop())
    if ini := find_ini(this_pc(), phone.executable):
        lines.append(("ok", f"its settings are {ini}"))
    if sys.platform == "win32":
        async with choose_channel(phone, demo=False, clock=clock) as channel:
            try:
                words = (await channel.status()).words
            except PhoneError as exc:
                by = f"by {channel.name} ({_why(phone.driver, channel.name)})"
                lines.append(("warn", f"{by}: {exc.detail}"))
            else:
                by = f"by {channel.name} ({_why(phone.driver, channel.name)})"
                said = f"Status is {words!r}" if words else "it reports no Status"
                lines.append(("ok", f"{by}: it answers, {said}"))
    return lines
