"""What is to be said of the MicroSIP of a PC: a line each, with what to do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.config import Phone
from gateway.microsip.event_hooks import Hook
from gateway.microsip.installation import Places
from gateway.microsip.instance import Instance, same_path
from gateway.microsip.process import NOWHERE, SESSION_0
from gateway.microsip.versions import Version

Grade = Literal["ok", "warn", "fail"]
Remark = tuple[Grade, str]

_INSTALL = "type: sip-gateway events install"
_LEVELS = ((0x4000, "system"), (0x3000, "high"), (0x2000, "medium"), (0, "low"))


@dataclass(frozen=True, slots=True)
class Running:
    """A MicroSIP that runs in this session."""

    instance: Instance
    version: Version | None
    integrity: int | None
    """Its integrity level; None: Windows does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was found on the PC."""

    session: int
    integrity: int | None
    """The gateway's own."""
    running: tuple[Running, ...] = ()
    executable: Path | None = None
    """The one that would be started; None: none was found."""
    executable_is_there: bool = True
    places: Places
    ini: Path | None = None
    hooks: Sequence[Hook] = ()
    missing_programs: frozenset[str] = frozenset()
    """What our hooks would run, but is not there."""


def remarks(facts: Facts, phone: Phone) -> Iterator[Remark]:
    if facts.session == 0:
        yield "fail", SESSION_0
    for running in facts.running:
        yield "ok", _runs(running, facts.session)
        yield _levels(facts.integrity, running.integrity)
    if not facts.running:
        yield _away(facts, phone)
    if facts.ini is not None:
        yield "ok", f"its settings are {facts.ini}"
        yield _hooks(facts)


def _runs(running: Running, session: int) -> str:
    version = running.version
    what = f"version {version}" if version else "its version is unknown: taken for the oldest"
    where = running.instance.executable or "Windows does not tell from where"
    return f"its window is on this desktop (session {session}): {what}, {where}"


def _levels(own: int | None, other: int | None) -> Remark:
    if own is None or other is None:
        return "warn", (
            "Windows does not tell its integrity level; if commands do not reach it, run both "
            'the same way: both normal, or both "as administrator"'
        )
    levels = f"MicroSIP runs at {_level(other)} integrity, the gateway at {_level(own)}"
    if other > own:
        return "fail", (
            f"{levels}: Windows keeps every command back; run both the same way: both normal, "
            'or both "as administrator"'
        )
    if other < own:
        return "warn", (
            f"{levels}: commands reach it, but a MicroSIP that the gateway starts gets the "
            "gateway's rights; run the gateway as a normal user"
        )
    return "ok", f"both run at {_level(own)} integrity"


def _level(integrity: int) -> str:
    return next(name for lowest, name in _LEVELS if integrity >= lowest)


def _away(facts: Facts, phone: Phone) -> Remark:
    executable = facts.executable
    away = f"it is not running (session {facts.session})"
    if executable is None:
        return "warn", NOWHERE
    if not facts.executable_is_there:
        return "fail", f"{away}, and there is no {executable}; correct [phone] executable"
    found = f"{executable} ({_origin(executable, facts.places, phone)})"
    if phone.start:
        return "ok", f"{away}; a command that needs no call starts {found}"
    return "warn", f"{away}, and [phone] start is false; start {found}"


def _origin(executable: Path, places: Places, phone: Phone) -> str:
    if phone.executable:
        return "as configured"
    if any(same_path(str(executable.parent), str(folder)) for folder in places.installed):
        return "noted by its installer"
    return "found in a usual folder"


def _hooks(facts: Facts) -> Remark:
    ours = [hook.kind for hook in facts.hooks if hook.is_ours]
    foreign = [hook for hook in facts.hooks if hook.is_foreign]
    if facts.missing_programs:
        missing = ", ".join(sorted(facts.missing_programs))
        return "fail", f"its event hooks run {missing}, which is not there; {_INSTALL}"
    if foreign:
        values = ", ".join(sorted({hook.value for hook in foreign}))
        return "warn", f"another program's event hooks are there ({values}); {_INSTALL} --chain"
    if not ours:
        return "warn", f"no event hooks: it does not tell of calls; {_INSTALL}"
    return "ok", f"event hooks are installed: {', '.join(ours)}"
