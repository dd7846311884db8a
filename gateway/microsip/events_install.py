"""Puts MicroSIP's event hooks into its ini with the program they run, or takes them out."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.call import CallEventKind
from gateway.errors import ConfigError, ConflictError, GatewayError, PhoneError
from gateway.microsip.event_hooks import (
    HOOK_PROGRAM,
    Hook,
    HookCommand,
    Lines,
    hooked,
    hooks_in,
    known_kinds,
    unhooked,
)
from gateway.microsip.ini import read_ini, write_ini
from gateway.microsip.ini_file import IniFile
from gateway.microsip.process import MicroSipProcess
from gateway.microsip.versions import Version
from gateway.phone_status import CALL_UP, Look, PhoneState
from gateway.ports import Clock

BUILT_PROGRAM = Path(__file__).parent / "hook" / HOOK_PROGRAM
"""Not there where the package was built without a compiler for Windows."""
CHAIN = "chain.conf"
BEFORE = "before-install.json"

RUNNING = (
    "MicroSIP runs, and would write its own settings over these; end it by its menu, or add "
    "--stop-microsip: then it is ended and started again"
)

HAS_CALL = "MicroSIP has a call, which would be cut; wait for its end, then try again"
BUSY = CALL_UP | {PhoneState.RINGING}

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to the ini."""

    kinds: tuple[CallEventKind, ...] = ()
    """Whose keys were changed; none: everything was as it is to be."""
    backup: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HookFiles:
    """Where things are."""

    ini: Path
    folder: Path
    """``data_dir/hook``."""
    program: Path
    """The hook program as it was built."""
    python: Path
    """What runs ``-m gateway notify-call`` where there is no hook program."""

    @property
    def installed_program(self) -> Path:
        return self.folder / HOOK_PROGRAM


class EventHooks:
    """The hooks in one ini; MicroSIP must not run while they are changed."""

    def __init__(self, *, files: HookFiles, version: Version, clock: Clock) -> None:
        self._files = files
        self._version = version
        self._clock = clock

    @property
    def ini(self) -> Path:
        return self._files.ini

    def there(self) -> Sequence[Hook]:
        """What the ini holds now; raises ConfigError."""
        return hooks_in(read_ini(self._files.ini))

    @property
    def command(self) -> HookCommand:
        if self._files.program.is_file():
            return HookCommand(str(self._files.installed_program))
        return HookCommand(str(self._files.python), ("-m", "gateway", "notify-call"))

    def installable(self, *, chain: bool) -> bool:
        """Whether ``install`` would change the ini; raises what it would raise."""
        ini = read_ini(self._files.ini)
        return hooked(ini, self.command, known_kinds(self._version), chain=chain).ini != ini

    def removable(self) -> bool:
        return any(hook.is_ours for hook in self.there())

    def install(self, *, chain: bool) -> Change:
        """Raises ConflictError, ConfigError."""
        ini = read_ini(self._files.ini)
        done = hooked(ini, self.command, known_kinds(self._version), chain=chain)
        kept = {hook.kind for hook in hooks_in(ini) if hook.is_ours}
        before = {kind: line for kind, line in self._before().items() if kind in kept}
        self._write_beside({**before, **done.before})
        return self._write(ini, done.ini)

    def uninstall(self) -> Change:
        """Raises ConfigError."""
        ini = read_ini(self._files.ini)
        change = self._write(ini, unhooked(ini, self._before()))
        for name in (BEFORE, CHAIN, HOOK_PROGRAM):
            try:
                (self._files.folder / name).unlink(missing_ok=True)
            except OSError as exc:
                log.warning("%s is left in %s: %s", name, self._files.folder, exc.strerror)
        return change

    def _write(self, ini: IniFile, changed: IniFile) -> Change:
        if changed == ini:
            return Change()
        backup = write_ini(self._files.ini, changed, self._clock())
        pairs = zip(hooks_in(ini), hooks_in(changed), strict=True)
        return Change(tuple(old.kind for old, new in pairs if old != new), backup)

    def _write_beside(self, before: Lines) -> None:
        """First of all: a hook may run as soon as it is in the ini."""
        folder = self._files.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._copy_program()
            text = json.dumps({kind.value: line for kind, line in before.items()}, indent=1)
            _replace(folder / BEFORE, text.encode("ascii"))
            if chain := _chain(before):
                _replace(folder / CHAIN, chain)
            else:
                (folder / CHAIN).unlink(missing_ok=True)
        except OSError as exc:
            raise GatewayError(
                f"{exc.filename or folder}: cannot be written: {exc.strerror}; end what uses "
                "it, then try again"
            ) from exc

    def _copy_program(self) -> None:
        if not self._files.program.is_file():
            return
        program, there = self._files.program.read_bytes(), self._files.installed_program
        if not there.is_file() or there.read_bytes() != program:
            _replace(there, program)

    def _before(self) -> Lines:
        """As the last ``install`` noted it."""
        path = self._files.folder / BEFORE
        try:
            noted: Mapping[str, str | None] = json.loads(path.read_bytes())
            return {CallEventKind(kind): line for kind, line in noted.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as exc:
            raise ConfigError(
                f"{path}: cannot be read: {exc}; the backup beside microsip.ini has what was "
                "there; remove this file, then try again"
            ) from exc


async def set_up(
    work: Callable[[], Change],
    *,
    process: MicroSipProcess,
    look: Callable[[], Awaitable[Look]],
    stop: bool,
) -> Change:
    """Do *work* while MicroSIP is ended; raises ConflictError when it runs and may not be."""
    if await asyncio.to_thread(process.running):
        if not stop:
            raise ConflictError(RUNNING)
        with suppress(PhoneError):  # what takes no commands can be ended all the same
            if (await look()).states & BUSY:
                raise ConflictError(HAS_CALL)
    return await process.while_stopped(work, look)


def _chain(before: Lines) -> bytes:
    """A line ``KIND=VALUE`` for each hook of another program, which ours then runs."""
    values = {kind: (line or "").partition("=")[2].strip() for kind, line in before.items()}
    lines = [f"{kind}={value}\r\n" for kind, value in values.items() if value]
    return "".join(lines).encode("utf-8", "replace")


def _replace(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def fallback_python(executable: Path) -> Path:
    """The one without a console window, where it lies beside *executable*."""
    windowless = executable.with_name("pythonw.exe")
    return windowless if windowless.is_file() else executable
