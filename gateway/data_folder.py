"""The data folder: one gateway at a time, with what must outlive a crash."""

import json
import os
import re
import secrets
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from gateway.errors import AlreadyRunning, ConfigError

LOCK_WAIT = 3.0
"""Seconds: a gateway that was told to stop may still be finishing."""

_LOCK = "gateway.lock"
_HOLDER = "gateway.pid"
_CONTACTS = "contacts.json"
_NODE = "node"
_NODE_ID = re.compile(r"[a-z0-9.-]{1,40}-[0-9a-f]{8}")
_NOT_OF_A_NAME = re.compile(r"[^a-z0-9.-]+")


class DataFolder:
    """Open while its lock is held."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path / _LOCK)

    def __enter__(self) -> Self:
        """Raises ConfigError when it cannot be written, AlreadyRunning when it is taken."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire(timeout=LOCK_WAIT)
            (self.path / _HOLDER).write_text(str(os.getpid()))
        except Timeout as exc:
            raise AlreadyRunning(
                f"{self.path} is in use by another gateway{self._holder()}; stop it, or give"
                " this one a data_dir of its own"
            ) from exc
        except OSError as exc:
            raise ConfigError(
                f"data_dir {self.path}: {exc.strerror or exc}; set it to a folder that this"
                " user may write"
            ) from exc
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        (self.path / _HOLDER).unlink(missing_ok=True)
        self._lock.release()

    def _holder(self) -> str:
        try:
            return f" (process {int((self.path / _HOLDER).read_text())})"
        except (OSError, ValueError):
            return ""

    def node(self) -> str:
        """The id of the gateway with this folder, chosen at its first start.

        What it stores in the database bears it, so it is kept for good; people read it.
        """
        path = self.path / _NODE
        try:
            kept = path.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            kept = ""
        if _NODE_ID.fullmatch(kept):
            return kept
        host = _NOT_OF_A_NAME.sub("-", socket.gethostname().lower())[:40]
        chosen = f"{host or 'gateway'}-{secrets.token_hex(4)}"
        self._write(path, chosen)
        return chosen

    def contact_secrets(self, accounts: Iterable[str]) -> Mapping[str, str]:
        """The random Contact parameter of each account.

        After a crash the old ones hold: the registrar still knows them, and a Contact that
        differed would be a second binding, to which every message is forked too.
        """
        path = self.path / _CONTACTS
        try:
            kept = json.loads(path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            kept = {}
        chosen = {name: str(kept.get(name) or secrets.token_hex(12)) for name in accounts}
        self._write(path, json.dumps(chosen))
        return chosen

    def forget_contact_secrets(self) -> None:
        """After a clean stop: the accounts are unregistered."""
        (self.path / _CONTACTS).unlink(missing_ok=True)

    def _write(self, path: Path, text: str) -> None:
        """Anew, readable by this user alone, and in one step: half of it is never read."""
        unfinished = path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        unfinished.replace(path)
