"""Looks at MicroSIP: through its channel, at its calls, into its settings."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from gateway.errors import PhoneError
from gateway.microsip.evidence import DIALS
from gateway.microsip.merging import merge
from gateway.microsip.observation import Observation
from gateway.microsip.settings_in_use import SettingsInUse
from gateway.microsip.starting import NEEDS_CALL
from gateway.microsip.status_words import StatusWords
from gateway.phone import PhoneCommand, Problem
from gateway.phone_status import PhoneStatus
from gateway.ports import CallWatch, Channel, Clock

FindSettings = Callable[[], SettingsInUse | None]
"""Reads microsip.ini, on a thread."""


class Reading:
    """What is known of MicroSIP at this moment."""

    def __init__(
        self,
        *,
        channel: Channel,
        words: StatusWords,
        clock: Clock,
        calls: CallWatch | None = None,
        settings: FindSettings | None = None,
    ) -> None:
        self.channel = channel
        self._words = words
        self._clock = clock
        self._calls = calls
        self._settings = settings

    def declining(self) -> None:
        """A reject is about to be handed over."""
        if self._calls is not None:
            self._calls.declining()

    async def look(self) -> Observation:
        """Raises PhoneError when MicroSIP cannot be asked."""
        look = await self.channel.status()
        states = self._words.states(look.words or "") if look.words else look.states
        return await self._with_calls(
            Observation(look.words, states, at=self._clock(), look=look)
        )

    async def look_before(self, command: PhoneCommand) -> Observation:
        """A MicroSIP that does not run has no call; the channel may start it."""
        settings = await self._read_settings() if command.verb in DIALS else None
        try:
            seen = await self.look()
        except PhoneError as exc:
            if exc.problem != Problem.NOT_RUNNING:
                raise
            if command.verb in NEEDS_CALL:
                raise PhoneError(exc.problem, f"no call: {exc.detail}") from exc
            seen = await self._with_calls(Observation(gone=True))
        return replace(seen, prefix=settings.dialing_prefix) if settings else seen

    async def look_again(self) -> Observation:
        """A look whose failure shows something too."""
        try:
            return await self.look()
        except PhoneError as exc:
            gone = exc.problem == Problem.NOT_RUNNING
            return await self._with_calls(Observation(gone=gone, silent=not gone))

    async def status(self) -> PhoneStatus:
        """Raises PhoneError when MicroSIP cannot be asked."""
        return await self.status_of(await self.look())

    async def status_of(self, seen: Observation) -> PhoneStatus:
        settings = await self._read_settings()
        return merge(seen, settings, channel=self.channel.name, now=self._clock())

    async def _read_settings(self) -> SettingsInUse | None:
        return await asyncio.to_thread(self._settings) if self._settings else None

    async def _with_calls(self, seen: Observation) -> Observation:
        if self._calls is None:
            return seen
        return replace(seen, calls=tuple(await self._calls.recent()))
