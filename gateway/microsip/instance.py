"""Which of the MicroSIPs that run on this desktop is meant."""

import ntpath
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.errors import PhoneError
from gateway.phone import Problem

_UNKNOWN = "an unknown place (another user's, or run as administrator)"


@dataclass(frozen=True, slots=True)
class Instance:
    """A running MicroSIP by its main window."""

    window: int
    process: int
    executable: str = ""
    """Its path; empty where Windows does not tell."""


def pick(instances: Sequence[Instance], executable: str) -> Instance:
    """The one that runs from *executable*, or the only one there is; raises PhoneError.

    MicroSIP lets each copy of itself run once, so that its path tells them apart.
    """
    meant = [
        one for one in instances if not executable or same_path(one.executable, executable)
    ]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise PhoneError(
            Problem.FAILED,
            f"{len(meant)} MicroSIPs run: {_places(meant)}; set [phone] executable to the path "
            "of the one to drive, or close the others",
        )
    if instances:
        raise PhoneError(
            Problem.NOT_RUNNING,
            f"MicroSIP is not running from {executable}, but from {_places(instances)}; start "
            "it, or set [phone] executable to that path",
        )
    what = executable or "it (from the Start menu)"
    raise PhoneError(
        Problem.NOT_RUNNING, f"MicroSIP is not running; start {what} and try again"
    )


def in_use(configured: str, running: Sequence[Instance]) -> str:
    """The path that is *configured*, else of the one that runs; empty where none is sure."""
    paths = {one.executable for one in running}
    return configured or (paths.pop() if len(paths) == 1 else "")


def same_path(path: str, other: str) -> bool:
    """As Windows compares paths."""
    return ntpath.normcase(ntpath.normpath(path)) == ntpath.normcase(ntpath.normpath(other))


def _places(instances: Sequence[Instance]) -> str:
    return ", ".join(sorted(one.executable or _UNKNOWN for one in instances))
