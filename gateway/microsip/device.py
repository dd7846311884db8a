"""SetDevice for a MicroSIP that cannot be told: by its ini, while it is ended."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from gateway.errors import ConfigError, PhoneError
from gateway.microsip.ini import SETTINGS, read_ini, write_ini
from gateway.microsip.process import MicroSipProcess
from gateway.phone import PhoneCommand, Problem, Verb
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look, PhoneState
from gateway.ports import Channel, Clock

KEYS = {"input": "audioInputDevice", "output": "audioOutputDevice"}
HAS_CALL = "MicroSIP must be ended for another sound device, and it has a call; end that first"
NOT_SURE = (
    "MicroSIP must be ended for another sound device, and does not show whether it has a call; "
    "look at the phone, and choose the device in its settings"
)
NO_SETTINGS = "MicroSIP's settings are not where they should be; choose the device in MicroSIP"


class SoundSettings(Protocol):
    """What the PC tells; its methods are called on a worker thread."""

    def devices(self, kind: str) -> Sequence[str]:
        """The names of the ``input`` or ``output`` devices, by their number."""

    def ini(self) -> Path | None:
        """MicroSIP's settings; None: there are none."""


class DeviceChannel:
    """Passes everything else on. MicroSIP is ended only where it surely has no call."""

    def __init__(
        self, *, inner: Channel, process: MicroSipProcess, sound: SoundSettings, clock: Clock
    ) -> None:
        self._inner = inner
        self._process = process
        self._sound = sound
        self._clock = clock
        self._set: str | None = None

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def simulated(self) -> bool:
        return self._inner.simulated

    def phrase(self, command: PhoneCommand) -> str:
        if command.verb is Verb.DEVICE:
            return f"microsip.ini {KEYS[command.arguments[0]]}"
        return self._inner.phrase(command)

    async def execute(self, command: PhoneCommand) -> None:
        if command.verb is not Verb.DEVICE:
            await self._inner.execute(command)
            return
        self._set = None
        await self._inner.status()  # raises where there is none, or it takes no commands
        kind, number = command.arguments
        device = named(kind, int(number), await asyncio.to_thread(self._sound.devices, kind))
        path = await asyncio.to_thread(self._sound.ini)
        if path is None:
            raise PhoneError(Problem.FAILED, NO_SETTINGS)
        await self._put(path, KEYS[kind], device)
        self._set = f"{command.argument} ({device})"

    async def write(self, message: PhoneMessage) -> None:
        await self._inner.write(message)

    async def status(self) -> Look:
        return replace(await self._inner.status(), device=self._set)

    async def _put(self, path: Path, key: str, device: str) -> None:
        def change() -> None:
            ini = read_ini(path)
            line = f'{key}="{device}"'  # in quotes, as MicroSIP writes it
            write_ini(path, ini.with_line(SETTINGS, key, line), self._clock())

        def chosen() -> str | None:
            return read_ini(path).get(SETTINGS, key)

        try:
            if await asyncio.to_thread(chosen) == device:
                return
            if reason := may_have_call(await self._inner.status()):
                raise PhoneError(Problem.FAILED, reason)
            await self._process.while_stopped(change, self._inner.status)
            if await asyncio.to_thread(chosen) != device:
                raise PhoneError(
                    Problem.FAILED,
                    f"MicroSIP was started again, but does not keep {device}; choose it in "
                    "its settings",
                )
        except ConfigError as exc:
            raise PhoneError(Problem.FAILED, str(exc)) from exc


def may_have_call(look: Look) -> str:
    """Why MicroSIP must not be ended now, and what to do; empty: it is idle for sure."""
    if look.states == {PhoneState.IDLE}:
        return ""
    return HAS_CALL if look.states else NOT_SURE


def named(kind: str, number: int, devices: Sequence[str]) -> str:
    """The name of that device; raises PhoneError that lists those there are."""
    if number < len(devices) and devices[number]:
        return devices[number]
    listed = ", ".join(f"{at} {name}" for at, name in enumerate(devices) if name)
    there = f"there are {listed}" if listed else "this PC has none; plug one in"
    raise PhoneError(Problem.INVALID, f"there is no {kind} device {number}; {there}")
