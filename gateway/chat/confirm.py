"""Commands that wait for ``confirm CODE``."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.chat.lru import LruDict
from gateway.phone import PhoneCommand

VALID_FOR = timedelta(seconds=60)
_ALPHABET = "23456789bcdfghjkmnpqrstvwxz"  # no two that look alike, and no words
_LENGTH = 8


@dataclass(frozen=True, slots=True)
class _Pending:
    code: str
    command: PhoneCommand
    expires_at: datetime


class Confirmations:
    """One command for each caller, by a code that is good once and for 60 s."""

    def __init__(self) -> None:
        self._pending: LruDict[str, _Pending] = LruDict()

    def ask(self, who: str, command: PhoneCommand, now: datetime) -> str:
        """The code that *who* has to type; it replaces an earlier one."""
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        self._pending.put(who, _Pending(code, command, now + VALID_FOR))
        return code

    def take(self, who: str, code: str, now: datetime) -> PhoneCommand | None:
        """The command that *code* confirms, once; None when there is none."""
        pending = self._pending.get(who)
        if pending is None or now >= pending.expires_at:
            return None
        if not secrets.compare_digest(pending.code.encode(), code.lower().encode()):
            return None
        self._pending.pop(who)
        return pending.command
