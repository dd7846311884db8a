"""Where MicroSIP is installed, which decides where its settings are."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from gateway.microsip.instance import same_path

EXECUTABLE = "microsip.exe"
FOLDER = "MicroSIP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What the PC tells of where programs and their settings are."""

    installed: tuple[Path, ...] = ()
    """The folders that MicroSIP's installer left in the registry, this user's first."""
    programs: tuple[Path, ...] = ()
    """The folders that hold programs, this user's first."""
    roaming: Path | None = None
    """``%APPDATA%``."""


if sys.platform == "win32":
    from gateway.microsip.registry import installed_folders, program_folders

    def this_pc() -> Places:
        return Places(
            installed=installed_folders(),
            programs=(Path(platformdirs.user_data_dir()), *program_folders()),
            roaming=Path(platformdirs.user_data_dir(roaming=True)),
        )

else:

    def this_pc() -> Places:
        return Places()


def find_executable(configured: str, places: Places) -> Path | None:
    """As *configured*, else by the registry, else in the usual folders."""
    if configured:
        return Path(configured)
    return next((path for path in _usual(places) if is_file(path)), None)


def ini_of(executable: Path, places: Places) -> Path:
    """MicroSIP keeps its settings beside itself, unless an installer put it where it is."""
    beside = executable.with_suffix(".ini")
    if places.roaming is None:
        return beside
    roaming = places.roaming / FOLDER / beside.name
    if any(same_path(str(executable.parent), str(folder)) for folder in places.installed):
        return roaming
    # The MSI package notes its folder elsewhere.
    return roaming if is_file(roaming) and not is_file(beside) else beside


def find_ini(places: Places, executable: str = "") -> Path | None:
    """The settings there are of *executable*, else of the MicroSIP that is found."""
    found = find_executable(executable, places)
    if found is not None:
        candidates = [ini_of(found, places)]
    elif places.roaming is not None:
        candidates = [places.roaming / FOLDER / Path(EXECUTABLE).with_suffix(".ini")]
    else:
        candidates = []
    return next((path for path in candidates if is_file(path)), None)


def is_file(path: Path) -> bool:
    """Path.is_file raises where a share is away, or a folder is another user's."""
    try:
        return path.is_file()
    except OSError:
        return False


def _usual(places: Places) -> Iterator[Path]:
    for folder in places.installed:
        yield folder / EXECUTABLE
    for folder in places.programs:
        yield folder / FOLDER / EXECUTABLE
