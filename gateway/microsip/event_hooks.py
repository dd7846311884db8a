"""MicroSIP's event hooks in its ini: what stands there, what is to stand there."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.call import CallEventKind
from gateway.errors import ConflictError
from gateway.microsip.ini import SETTINGS
from gateway.microsip.ini_file import IniFile
from gateway.microsip.versions import Version

HOOK_PROGRAM = "sip-gateway-hook.exe"
WITH_VIDEO = Version(3, 21, 6)
"""The first known to run a hook of its own for an answered call with video."""

_NOTIFY_CALL = "notify-call"
_COMMAND_LINE = frozenset({"sip-gateway", "sip-gateway.exe"})
_PROGRAM = re.compile(r'"([^"]*)"|(\S+)')

Lines = Mapping[CallEventKind, str | None]
"""The line of each key in the ini; None: there is none."""


@dataclass(frozen=True, slots=True)
class HookCommand:
    """What MicroSIP is to run: a program, what comes before the event, the event, ``--``.

    MicroSIP appends the other side's user part, which is hostile text.
    """

    program: str
    arguments: tuple[str, ...] = ()
    """Without spaces: MicroSIP cannot pass any."""

    def value(self, kind: CallEventKind) -> str:
        return " ".join([f'"{self.program}"', *self.arguments, kind, "--"])


@dataclass(frozen=True, slots=True)
class Hook:
    """What one key holds."""

    kind: CallEventKind
    value: str
    """As MicroSIP runs it; empty: nothing."""

    @property
    def is_ours(self) -> bool:
        name = re.split(r"[\\/]", self.program)[-1].lower()
        arguments = tuple(_PROGRAM.sub("", self.value, count=1).split()[:3])
        return (
            name == HOOK_PROGRAM
            or arguments == ("-m", "gateway", _NOTIFY_CALL)
            or (name in _COMMAND_LINE and arguments[:1] == (_NOTIFY_CALL,))
        )

    @property
    def program(self) -> str:
        """The file that it runs."""
        found = _PROGRAM.match(self.value)
        return (found[1] or found[2]) if found else ""

    @property
    def is_foreign(self) -> bool:
        return bool(self.value) and not self.is_ours


@dataclass(frozen=True, slots=True)
class Hooked:
    """The ini with our hooks, and what they took the place of."""

    ini: IniFile
    before: Lines
    """Of the keys that were not ours."""
    chained: Mapping[CallEventKind, str]
    """What stood behind the ``=`` of foreign hooks."""


def known_kinds(version: Version) -> Sequence[CallEventKind]:
    """The events that MicroSIP of *version* has a key for."""
    video = CallEventKind.ANSWER_VIDEO
    return [kind for kind in CallEventKind if kind is not video or version >= WITH_VIDEO]


def hooks_in(ini: IniFile) -> Sequence[Hook]:
    """Every key that MicroSIP may have, in the order of a call."""
    return [Hook(kind, ini.get(SETTINGS, kind.key) or "") for kind in CallEventKind]


def hooked(
    ini: IniFile, command: HookCommand, kinds: Sequence[CallEventKind], *, chain: bool
) -> Hooked:
    """With *command* for *kinds*; raises ConflictError when foreign hooks are in the way."""
    there = {hook.kind: hook for hook in hooks_in(ini)}
    foreign = [there[kind] for kind in kinds if there[kind].is_foreign]
    if foreign and not chain:
        raise ConflictError(_in_the_way(foreign))
    lines = {k: ini.line(SETTINGS, k.key) for k in kinds if not there[k].is_ours}
    for kind in kinds:
        if there[kind].value != command.value(kind):
            ini = ini.with_value(SETTINGS, kind.key, command.value(kind))
    chained = {hook.kind: (lines[hook.kind] or "").partition("=")[2] for hook in foreign}
    return Hooked(ini, lines, chained)


def unhooked(ini: IniFile, before: Lines) -> IniFile:
    """Without our hooks: each key as *before* has it, else empty as MicroSIP writes it."""
    for hook in hooks_in(ini):
        if not hook.is_ours:
            continue
        key = hook.kind.key
        line = before.get(hook.kind, f"{key}=")
        ini = ini.without(SETTINGS, key) if line is None else ini.with_line(SETTINGS, key, line)
    return ini


def _in_the_way(foreign: Sequence[Hook]) -> str:
    found = "; ".join(f"{hook.kind.key} runs {hook.value}" for hook in foreign)
    return (
        f"another program's event hooks are there: {found}. With --chain both are run; else "
        "remove them first"
    )
