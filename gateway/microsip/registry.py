"""What the registry tells of programs."""

import sys

assert sys.platform == "win32"

import winreg
from collections.abc import Iterator
from pathlib import Path

_MICROSIP = r"Software\MicroSIP"
_WINDOWS = r"Software\Microsoft\Windows\CurrentVersion"
_VIEWS = (winreg.KEY_WOW64_64KEY, winreg.KEY_WOW64_32KEY)


def installed_folders() -> tuple[Path, ...]:
    """Where MicroSIP's installer says it put MicroSIP: for this user, then for all."""
    return tuple(_folders(winreg.HKEY_CURRENT_USER, _MICROSIP, "")) + tuple(
        _folders(winreg.HKEY_LOCAL_MACHINE, _MICROSIP, "")
    )


def program_folders() -> tuple[Path, ...]:
    """Of 64-bit programs, then of 32-bit ones."""
    return tuple(_folders(winreg.HKEY_LOCAL_MACHINE, _WINDOWS, "ProgramFilesDir"))


def _folders(root: int, key: str, name: str) -> Iterator[Path]:
    """Of both views: a 32-bit program's notes are apart from a 64-bit one's."""
    found: list[Path] = []
    for view in _VIEWS:
        try:
            with winreg.OpenKey(root, key, access=winreg.KEY_READ | view) as opened:
                value, _ = winreg.QueryValueEx(opened, name)
        except OSError:  # there is none, or it is not this user's to read
            continue
        if isinstance(value, str) and value and Path(value) not in found:
            found.append(Path(value))
    yield from found
