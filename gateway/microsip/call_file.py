"""Watching ``[Calls]`` in microsip.ini, which MicroSIP writes at each change of a call."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.call import Call
from gateway.errors import ConfigError
from gateway.microsip.call_records import SECTION, changed
from gateway.microsip.ini import read_ini

log = logging.getLogger(__name__)


class CallFile:
    """The records of the MicroSIP that *locate* finds the settings of."""

    def __init__(self, *, locate: Callable[[], Path | None]) -> None:
        self._locate = locate
        self._stamp: tuple[Path, int, int] | None = None
        self._values: dict[str, str] = {}

    async def changed(self) -> Sequence[Call]:
        """Those that changed since the last time, oldest first; at first all there are."""
        return await asyncio.to_thread(self._changed)

    def _changed(self) -> Sequence[Call]:
        path = self._locate()
        if path is None:
            return ()
        try:
            written = path.stat()
            stamp = (path, written.st_mtime_ns, written.st_size)
            if stamp == self._stamp:
                return ()
            values = dict(read_ini(path).section(SECTION))
        except (OSError, ConfigError) as exc:
            log.debug("no calls are read from %s: %s", path, exc)  # MicroSIP is writing it
            return ()
        calls = changed(values, self._values)
        # A file that is being written may lack some records for a moment.
        self._values |= values
        self._stamp = stamp
        return calls
