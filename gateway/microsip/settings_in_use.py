"""What microsip.ini tells of the MicroSIP that runs: it saves there all that it uses."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.errors import ConfigError
from gateway.microsip.ini import SETTINGS, read_ini

DEFAULT_DEVICE = "default"
"""How a device is called that is Windows' choice: MicroSIP notes no name then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsInUse:
    """Of MicroSIP, as far as a command or a status needs them."""

    input_device: str
    output_device: str
    dialing_prefix: str = ""
    """Put in front of the numbers that are dialled; [Calls] leaves it out."""
    read_at: datetime


def read_settings(path: Path | None, now: datetime) -> SettingsInUse | None:
    """None where there is no such file, or it cannot be read."""
    if path is None:
        return None
    try:
        ini = read_ini(path)
    except ConfigError:
        return None
    account = f"Account{ini.get(SETTINGS, 'accountId') or '1'}"
    return SettingsInUse(
        input_device=ini.get(SETTINGS, "audioInputDevice") or DEFAULT_DEVICE,
        output_device=ini.get(SETTINGS, "audioOutputDevice") or DEFAULT_DEVICE,
        dialing_prefix=ini.get(account, "dialingPrefix") or "",
        read_at=now,
    )
