"""The datagram by which a hook program hands an event of MicroSIP over to the gateway.

ASCII, one space between the fields, to a UDP port of 127.0.0.1::

    sip-gateway-event 1 <unix milliseconds> <nonce> <kind> <user> <authentication code>

The user part is the hex of its UTF-8, or ``-`` when it is empty. The code is HMAC-SHA256 of
all before it, the space not included.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from gateway.call import LONGEST_USER, CallEventKind

KEY_BYTES = 32
LONGEST_DATAGRAM = 1400
LONGEST_USER_BYTES = 600
"""Of the user's UTF-8: twice as much in hex, beside the other fields, is a datagram."""
LARGEST_SKEW = timedelta(seconds=30)
"""Both programs read the clock of the same machine; one of them may be slow to run."""

_NAME = b"sip-gateway-event"
_VERSION = b"1"
_NO_USER = b"-"
_EPOCH = datetime.fromtimestamp(0, UTC)
_FIELDS = re.compile(
    rb"sip-gateway-event 1 (?P<at>[0-9]{1,13}) (?P<nonce>[0-9a-f]{16})"
    rb" (?P<kind>[a-z-]{1,16}) (?P<user>-|(?:[0-9a-f]{2})+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """One run of an event hook."""

    kind: CallEventKind
    user: str
    """The other side's user part: hostile text, it may hold anything."""
    at: datetime
    nonce: str
    """16 hex digits: a datagram is taken once."""


class Refusal(StrEnum):
    """Why a datagram is not taken."""

    TOO_LONG = "longer than any hook program writes"
    FOREIGN = "not of a hook program"
    OTHER_VERSION = "of another version's hook program: sip-gateway events install"
    FORGED = "its authentication code is wrong"
    MALFORMED = "authentic, but not understood"
    SKEWED = "its time is more than 30 s off"


def new_nonce() -> str:
    return secrets.token_hex(8)


def write_hand_over(event: HandOver, key: bytes) -> bytes:
    """The datagram; a user part that is too long for it is cut."""
    milliseconds = (event.at - _EPOCH) // timedelta(milliseconds=1)
    kind, user = event.kind.encode("ascii"), _cut(event.user).hex().encode("ascii")
    fields = b" ".join(
        [
            *(_NAME, _VERSION, b"%d" % milliseconds),
            *(event.nonce.encode("ascii"), kind, user or _NO_USER),
        ]
    )
    return fields + b" " + _code(fields, key)


def read_hand_over(datagram: bytes, key: bytes, now: datetime) -> HandOver | Refusal:
    """Whatever comes in on the port; what is authentic may still be a repetition."""
    if len(datagram) > LONGEST_DATAGRAM:
        return Refusal.TOO_LONG
    name, _, rest = datagram.partition(b" ")
    if name != _NAME:
        return Refusal.FOREIGN
    if rest.partition(b" ")[0] != _VERSION:
        return Refusal.OTHER_VERSION
    fields, _, code = datagram.rpartition(b" ")
    if not hmac.compare_digest(_code(fields, key), code):
        return Refusal.FORGED
    event = _parse(fields)
    if event is None:
        return Refusal.MALFORMED
    return event if abs(event.at - now) <= LARGEST_SKEW else Refusal.SKEWED


class SeenNonces:
    """Which datagrams came before, for as long as their time would still be accepted."""

    def __init__(self) -> None:
        self._kept_until: dict[str, datetime] = {}

    def is_new(self, event: HandOver, now: datetime) -> bool:
        """Of an authentic *event*, so that no stranger fills the memory."""
        self._kept_until = {
            nonce: until for nonce, until in self._kept_until.items() if until >= now
        }
        if event.nonce in self._kept_until:
            return False
        self._kept_until[event.nonce] = event.at + LARGEST_SKEW
        return True


def _cut(user: str) -> bytes:
    """A lone surrogate, which UTF-8 cannot carry, becomes U+FFFD, as Windows has it."""
    whole = user.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    encoded = whole[:LONGEST_USER].encode("utf-8")[:LONGEST_USER_BYTES]
    return encoded.decode("utf-8", "ignore").encode("utf-8")  # whole characters only


def _code(fields: bytes, key: bytes) -> bytes:
    return hmac.digest(key, fields, "sha256").hex().encode("ascii")


def _parse(fields: bytes) -> HandOver | None:
    found = _FIELDS.fullmatch(fields)
    if found is None:
        return None
    user = found["user"]
    try:
        return HandOver(
            kind=CallEventKind(found["kind"].decode("ascii")),
            user=""
            if user == _NO_USER
            else bytes.fromhex(user.decode("ascii")).decode("utf-8"),
            at=_EPOCH + timedelta(milliseconds=int(found["at"])),
            nonce=found["nonce"].decode("ascii"),
        )
    except ValueError:  # no such kind, or not UTF-8
        return None
