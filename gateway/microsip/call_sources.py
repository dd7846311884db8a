"""What tells of MicroSIP's calls besides its event hooks, on the platform at hand."""

import asyncio
import sys
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from gateway.call import Call
from gateway.calls import CallSources
from gateway.microsip.call_file import CallFile
from gateway.microsip.settings_file import settings_file
from gateway.ports import Clock

if sys.platform == "win32":
    from gateway.microsip.lifetime import microsip_began
else:

    def microsip_began(executable: str, clock: Clock) -> None:
        """No MicroSIP can be seen from here."""


def call_sources(executable: str, clock: Clock) -> CallSources:
    """Of the MicroSIP of *executable*, as ``settings_file`` has it."""

    async def ended_before() -> datetime | None:
        return await asyncio.to_thread(partial(microsip_began, executable, clock))

    return CallSources(
        records=CallFile(locate=partial(settings_file, executable)).changed,
        ended_before=ended_before,
    )


def no_sources() -> CallSources:
    """Of a simulated MicroSIP, which leaves no records."""

    async def no_records() -> Sequence[Call]:
        return ()

    async def unknown() -> datetime | None:
        return None

    return CallSources(records=no_records, ended_before=unknown)
