"""microsip.ini on the disk: read for the account in use, written with a copy kept."""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.errors import ConfigError
from gateway.microsip.ini_file import IniFile

SETTINGS = "Settings"


@dataclass(frozen=True, slots=True)
class MicroSipAccount:
    """The account that MicroSIP registers, without its password."""

    server: str
    domain: str
    username: str
    proxy: str = ""


def read_ini(path: Path) -> IniFile:
    """Raises ConfigError when it cannot be read."""
    try:
        return IniFile.parse(path.read_bytes())
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror}") from exc


def write_ini(path: Path, ini: IniFile, at: datetime) -> Path:
    """Replace *path* in one step, what it was kept beside it; returns where.

    MicroSIP must not run: it would write its own settings over these. Raises ConfigError.
    """
    unfinished = path.with_name(f"{path.name}.sip-gateway")
    try:
        backup = _keep(path, at)
        with unfinished.open("wb") as file:
            file.write(ini.data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be written: {exc.strerror}") from exc
    return backup


def read_version(path: Path) -> str:
    """As newer versions note it; empty where they do not. Raises ConfigError."""
    return read_ini(path).get(SETTINGS, "version") or ""


def read_account(path: Path) -> MicroSipAccount:
    """The active account; raises ConfigError when there is none or it cannot be read."""
    ini = read_ini(path)
    section = f"Account{ini.get(SETTINGS, 'accountId') or '1'}"
    if not ini.has_section(section):
        raise ConfigError(f"{path}: has no [{section}]; add an account in MicroSIP first")
    server = ini.get(section, "server") or ""
    domain = ini.get(section, "domain") or server
    if not domain:
        raise ConfigError(f"{path}: [{section}] names neither server nor domain")
    return MicroSipAccount(
        server=server or domain,
        domain=domain,
        username=ini.get(section, "username") or "",
        proxy=ini.get(section, "proxy") or "",
    )


def _keep(path: Path, at: datetime) -> Path:
    """A copy under a name that no older copy has."""
    name = f"{path.name}.before-sip-gateway-{at:%Y%m%d-%H%M%S}"
    kept = path.read_bytes()
    number = 1
    while True:
        backup = path.with_name(name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError), backup.open("xb") as file:
            file.write(kept)
            return backup
        number += 1
