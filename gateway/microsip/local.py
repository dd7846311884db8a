"""The MicroSIP of this PC, as the configuration names it."""

import sys

assert sys.platform == "win32"

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.clock import now
from gateway.config import Phone
from gateway.errors import ConfigError
from gateway.microsip.copydata import CopyDataChannel
from gateway.microsip.events_install import (
    BUILT_PROGRAM,
    EventHooks,
    HookFiles,
    fallback_python,
)
from gateway.microsip.hand_over_conf import hook_folder
from gateway.microsip.installation import find_executable, ini_of, this_pc
from gateway.microsip.instance import Instance
from gateway.microsip.process import Answers, MicroSipProcess
from gateway.microsip.user_processes import UserProcesses
from gateway.microsip.versions import OLDEST
from gateway.microsip.wave_devices import wave_devices
from gateway.microsip.window import UserDesktop


def microsip_process(phone: Phone) -> MicroSipProcess:
    return MicroSipProcess(
        windows=UserDesktop(),
        processes=UserProcesses(),
        executable=phone.executable,
        find=lambda: find_executable("", this_pc()),
        sleep=asyncio.sleep,
    )


def event_hooks(executable: Path | None, data_dir: Path) -> EventHooks:
    """Raises ConfigError when there is no MicroSIP, or it has no settings yet."""
    if executable is None:
        raise ConfigError("no microsip.exe was found; set [phone] executable to its path")
    ini = ini_of(executable, this_pc())
    if not ini.is_file():
        raise ConfigError(
            f"{ini}: is not there; start MicroSIP once, so that it writes its settings"
        )
    return EventHooks(
        files=HookFiles(
            ini=ini,
            folder=hook_folder(data_dir),
            program=BUILT_PROGRAM,
            python=fallback_python(Path(sys.executable)),
        ),
        version=UserDesktop().version(Instance(0, 0, str(executable))) or OLDEST,
        clock=now,
    )


class LocalSound:
    """The sound devices of this PC, with the settings of its MicroSIP."""

    def __init__(self, process: MicroSipProcess) -> None:
        self._process = process

    def devices(self, kind: str) -> Sequence[str]:
        return wave_devices(kind)

    def ini(self) -> Path | None:
        executable = self._process.executable()
        return None if executable is None else ini_of(executable, this_pc())


@asynccontextmanager
async def answers_by_window(executable: Path | None) -> AsyncIterator[Answers]:
    """Whether it takes commands, for ``MicroSipProcess`` to find out."""
    path = "" if executable is None else str(executable)
    async with CopyDataChannel(
        desktop=UserDesktop(), executable=path, sleep=asyncio.sleep
    ) as channel:
        yield channel.status
