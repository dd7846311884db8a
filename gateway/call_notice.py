"""What people are told of a call in the chat."""

import logging
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import Protocol

from gateway.address import Aor, SipUri
from gateway.call import Call, CallEventKind, CallOutcome
from gateway.call_tracking import Change
from gateway.errors import InvalidRequest
from gateway.events import EventType
from gateway.limits import KeyedLimit
from gateway.message import Submission

ORIGIN = "call"
RINGING_TTL = timedelta(seconds=60)
"""A later "call from" would be worse than none."""
_LONGEST_NAME = 40
_MARKS = frozenset("+*#.-_@")

log = logging.getLogger(__name__)


class Compose(Protocol):
    """The outbox, as far as a notice needs it."""

    def __call__(self, *, to: str, text: str, origin: str, ttl: timedelta) -> Submission:
        """Raises InvalidRequest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSettings:
    """Who is told, and how."""

    recipients: tuple[str, ...] = ()
    """SIP URIs."""
    missed_ttl: timedelta
    timezone: tzinfo


class CallNotices:
    """Makes the messages that tell of calls; none to the gateway's own addresses."""

    def __init__(
        self,
        *,
        settings: NoticeSettings,
        compose: Compose,
        own_aors: frozenset[Aor],
        number_of: Callable[[str], str],
        limit: KeyedLimit,
    ) -> None:
        """*number_of* gives what to dial to call a peer back; empty: that may not be dialled.

        *limit* is for each recipient, so that a storm of calls is none of messages.
        """
        self._settings = settings
        self._compose = compose
        self._own_aors = own_aors
        self._number_of = number_of
        self._limit = limit

    def of(self, change: Change, kind: CallEventKind | None) -> Sequence[Submission]:
        """Of what happened to a call; *kind* is the hook's that told so, if one did."""
        call, told = change.call, change.told
        if told is EventType.CALL_RINGING:
            return self._to_all(ringing_text(call), RINGING_TTL)
        missed = told is EventType.CALL_ENDED and call.outcome is CallOutcome.MISSED
        if missed and kind is not CallEventKind.BUSY:  # busy: it was declined here
            text = missed_text(call, self._settings.timezone, self._number_of(call.peer))
            return self._to_all(text, self._settings.missed_ttl)
        return ()

    def _to_all(self, text: str, ttl: timedelta) -> Sequence[Submission]:
        notices = (self._to(recipient, text, ttl) for recipient in self._settings.recipients)
        return [notice for notice in notices if notice is not None]

    def _to(self, recipient: str, text: str, ttl: timedelta) -> Submission | None:
        if SipUri.parse(recipient).aor in self._own_aors or not self._limit.allows(recipient):
            log.warning("%s is not told of a call: its own words, or too many", recipient)
            return None
        try:
            return self._compose(to=recipient, text=text, origin=ORIGIN, ttl=ttl)
        except InvalidRequest as exc:
            log.warning("%s is not told of a call: %s", recipient, exc)
            return None


def ringing_text(call: Call) -> str:
    return f'call from {shown(call.peer)}: type "answer" or "reject"'


def missed_text(call: Call, timezone: tzinfo, number: str) -> str:
    at = call.started_at.astimezone(timezone)
    hint = f': type "dial {number}"' if number else ""
    return f"missed call from {shown(call.peer)} at {at:%H:%M}{hint}"


def shown(peer: str) -> str:
    """Whom a call is from, so that nothing in it can pass for words of ours.

    Left are letters and digits that are written from left to right, and what numbers and
    addresses have between them.
    """
    name = "".join(c if _is_plain(c) else "?" for c in peer[: _LONGEST_NAME + 1])
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}..."
    return name or "an unknown number"


def _is_plain(character: str) -> bool:
    if character in _MARKS:
        return True
    return character.isalnum() and unicodedata.bidirectional(character) in {"L", "EN"}
