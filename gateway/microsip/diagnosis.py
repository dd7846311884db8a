"""What ``sip-gateway doctor`` says of MicroSIP: session, window, channel."""

import sys
from collections.abc import Iterator, Mapping
from typing import Literal

from gateway.config import Phone
from gateway.errors import PhoneError
from gateway.microsip.channels import choose_channel
from gateway.microsip.ini import find_ini
from gateway.ports import Clock

SESSION_0 = (
    "this is session 0, which sees no window of the user's; start the gateway in the user's"
    " session, by Task Scheduler at log-on"
)

Grade = Literal["ok", "warn", "fail"]

if sys.platform == "win32":
    from gateway.microsip.desktop import has_window, session_id

    def _desktop() -> Iterator[tuple[Grade, str]]:
        session = session_id()
        if session == 0:
            yield "fail", SESSION_0
        if has_window():
            yield "ok", f"its window is on this desktop (session {session})"
        else:
            yield "warn", f"no window of it on this desktop (session {session}); start MicroSIP"

else:

    def _desktop() -> Iterator[tuple[Grade, str]]:
        yield "warn", "this is not Windows; a MicroSIP can only be simulated here: --demo"


async def diagnose(
    phone: Phone, *, clock: Clock, environ: Mapping[str, str]
) -> list[tuple[Grade, str]]:
    """A line each, with what to do."""
    if phone.driver in {"none", "simulated"}:
        return [("ok", f"driver {phone.driver}, as configured")]
    lines = list(_desktop())
    if ini := find_ini(environ, phone.executable):
        lines.append(("ok", f"its settings are {ini}"))
    if sys.platform == "win32":
        async with choose_channel(phone, demo=False, clock=clock) as channel:
            try:
                words = await channel.status()
            except PhoneError as exc:
                lines.append(("warn", f"by {channel.name}: {exc.detail}"))
            else:
                said = f"Status is {words!r}" if words else "it reports no Status"
                lines.append(("ok", f"by {channel.name}: it answers, {said}"))
    return lines
