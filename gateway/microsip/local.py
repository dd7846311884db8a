"""The MicroSIP of this PC, as the configuration names it."""

import sys

assert sys.platform == "win32"

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.clock import now
from gateway.config import Phone
from gateway.errors import ConfigError
from gateway.microsip.copydata import CopyDataChannel
from gateway.microsip.event_hooks import Hook, hooks_in
from gateway.microsip.events_install import (
    BUILT_PROGRAM,
    EventHooks,
    HookFiles,
    fallback_python,
)
from gateway.microsip.hand_over_conf import hook_folder
from gateway.microsip.ini import read_ini
from gateway.microsip.installation import (
    find_executable,
    find_ini,
    ini_of,
    is_file,
    this_pc,
)
from gateway.microsip.instance import Instance
from gateway.microsip.process import MicroSipProcess
from gateway.microsip.remarks import Facts, Running
from gateway.microsip.user_processes import UserProcesses
from gateway.microsip.versions import OLDEST
from gateway.microsip.wave_devices import wave_devices
from gateway.microsip.window import UserDesktop
from gateway.phone_status import Look


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
    if not is_file(ini):
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


def facts(phone: Phone) -> Facts:
    """Blocks for a moment."""
    places, processes, desktop = this_pc(), UserProcesses(), UserDesktop()
    instances = desktop.instances()
    meant = phone.executable or next((one.executable for one in instances), "")
    executable = find_executable(meant, places)
    ini = find_ini(places, meant)
    hooks = _hooks_in(ini)
    return Facts(
        session=processes.session(),
        integrity=processes.integrity(),
        running=tuple(
            Running(one, desktop.version(one), processes.integrity(one.process))
            for one in instances
        ),
        executable=executable,
        executable_is_there=executable is not None and is_file(executable),
        places=places,
        ini=ini,
        hooks=hooks,
        missing_programs=frozenset(
            hook.program for hook in hooks if hook.is_ours and not is_file(Path(hook.program))
        ),
    )


def _hooks_in(ini: Path | None) -> Sequence[Hook]:
    try:
        return hooks_in(read_ini(ini)) if ini else ()
    except ConfigError:
        return ()


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
async def look_by_window(
    executable: Path | None,
) -> AsyncIterator[Callable[[], Awaitable[Look]]]:
    """Whether it takes commands, and has a call."""
    path = "" if executable is None else str(executable)
    async with CopyDataChannel(
        desktop=UserDesktop(), executable=path, sleep=asyncio.sleep
    ) as channel:
        yield channel.status
