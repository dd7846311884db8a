"""``hand-over.conf``: where a hook program finds the gateway, with the key they share."""

import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from gateway.microsip.hand_over import KEY_BYTES

FILE_NAME = "hand-over.conf"

_CONTENT = re.compile(r"port=(?P<port>[0-9]{1,5})\nkey=(?P<key>[0-9a-f]{64})\n")


@dataclass(frozen=True, slots=True)
class HandOverConf:
    """The gateway's UDP port on 127.0.0.1, with the key that authenticates an event."""

    port: int
    key: bytes = field(repr=False)


def hook_folder(data_dir: Path) -> Path:
    """Where the hook program is installed; it looks for its files beside itself."""
    return data_dir / "hook"


def write_conf(folder: Path, port: int) -> HandOverConf:
    """Tell hook programs the *port*; a key that is there is kept.

    The file is replaced in one step, readable by this user alone: a hook program may run at
    any moment.
    """
    known = read_conf(folder)
    conf = HandOverConf(port, known.key if known else secrets.token_bytes(KEY_BYTES))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = folder / f"{FILE_NAME}.{os.getpid()}"
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii", newline="\n") as file:
        file.write(f"port={conf.port}\nkey={conf.key.hex()}\n")
    unfinished.replace(folder / FILE_NAME)
    return conf


def read_conf(folder: Path) -> HandOverConf | None:
    """None when no gateway has left one here, or it cannot be read."""
    try:
        found = _CONTENT.fullmatch((folder / FILE_NAME).read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        return None
    if found is None or not 0 < int(found["port"]) < 65536:
        return None
    return HandOverConf(int(found["port"]), bytes.fromhex(found["key"]))
