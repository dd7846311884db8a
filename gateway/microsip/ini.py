"""Reads microsip.ini: where it is, which account is in use."""

import configparser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import ConfigError

FILE_NAME = "microsip.ini"


@dataclass(frozen=True, slots=True)
class MicroSipAccount:
    """The account that MicroSIP registers, without its password."""

    server: str
    domain: str
    username: str
    proxy: str = ""


def find_ini(environ: Mapping[str, str], executable: str = "") -> Path | None:
    """Next to the executable (portable), else in the roaming folder (installed)."""
    places = [Path(executable).with_suffix(".ini")] if executable else []
    if roaming := environ.get("APPDATA"):
        places.append(Path(roaming) / "MicroSIP" / FILE_NAME)
    return next((path for path in places if path.exists()), None)


def read_version(path: Path) -> str:
    """As newer versions note it; empty where they do not. Raises ConfigError."""
    return _read(path).get("Settings", "version", fallback="")


def read_account(path: Path) -> MicroSipAccount:
    """The active account; raises ConfigError when there is none or it cannot be read."""
    parser = _read(path)
    number = parser.get("Settings", "accountId", fallback="1")
    section = f"Account{number}"
    if not parser.has_section(section):
        raise ConfigError(f"{path}: has no [{section}]; add an account in MicroSIP first")
    server = parser.get(section, "server", fallback="")
    domain = parser.get(section, "domain", fallback="") or server
    if not domain:
        raise ConfigError(f"{path}: [{section}] names neither server nor domain")
    return MicroSipAccount(
        server=server or domain,
        domain=domain,
        username=parser.get(section, "username", fallback=""),
        proxy=parser.get(section, "proxy", fallback=""),
    )


def _read(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # MicroSIP's keys keep their case
    try:
        parser.read_string(_decode(path.read_bytes()), source=str(path))
    except (OSError, UnicodeDecodeError, configparser.Error) as exc:
        raise ConfigError(f"{path}: cannot be read: {exc}") from exc
    return parser


def _decode(data: bytes) -> str:
    """UTF-16 with its mark, as MicroSIP writes it; else UTF-8, as people do."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")
