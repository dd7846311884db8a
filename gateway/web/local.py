"""How commands on this machine reach the running gateway: its address, with a token."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

FILE_NAME = "http.json"
TOKEN_NAME = "cli"  # noqa: S105  the name of a token, not its secret
_AT = "@"


@dataclass(frozen=True, slots=True)
class LocalAccess:
    """What a running gateway leaves in its data folder for ``sip-gateway`` commands."""

    url: str
    token: str = field(repr=False)
    fingerprint: str = ""
    """SHA-256 of the certificate of an HTTPS server: that one, and no other, is the gateway."""


def token_name(node: str) -> str:
    """Of the token of this node's commands; nobody else can create one of such a name."""
    return f"{TOKEN_NAME}{_AT}{node}"


def is_of_commands(name: str) -> bool:
    """Whether a token is that of the commands of a node."""
    return name.partition(_AT)[0] == TOKEN_NAME


def write_local_access(data_dir: Path, access: LocalAccess) -> None:
    """Replace the file in one step, readable by this user alone."""
    content = asdict(access)
    unfinished = data_dir / f"{FILE_NAME}.{os.getpid()}"
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    unfinished.replace(data_dir / FILE_NAME)


def read_local_access(data_dir: Path) -> LocalAccess | None:
    """None when no gateway has left one here, or it cannot be read."""
    try:
        content = json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8"))
        return LocalAccess(content["url"], content["token"], content.get("fingerprint", ""))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_local_access(data_dir: Path) -> None:
    """At a clean stop: its token means nothing any more."""
    (data_dir / FILE_NAME).unlink(missing_ok=True)
