"""The records of ``[Calls]`` in microsip.ini: ``number;name;type;time;duration;info``.

MicroSIP escapes nothing. The name is the caller's to choose, the number nearly so, and both
may hold semicolons.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from gateway.call import INI, LONGEST_USER, Call, CallDirection, CallOutcome

SECTION = "Calls"

_DELETED = "null"
_OUTGOING, _MISSED, _ELSEWHERE = "0", "2", "3"
_FIELDS = re.compile(
    r"(?P<parties>.*);(?P<type>[0-3]);(?P<time>[0-9]{1,10});(?P<duration>[0-9]{1,7});(?P<info>.*)",
    re.DOTALL,
)
_PARAMETER = re.compile(r"[A-Za-z-]+=[^;]*(?:;|$)")
_ENDED_WITHOUT = {
    _OUTGOING: CallOutcome.UNANSWERED,  # or busy: only the language of MicroSIP tells
    _MISSED: CallOutcome.MISSED,
    _ELSEWHERE: CallOutcome.ELSEWHERE,
}


def decode(value: str) -> Call | None:
    """The call of a record; None when it was deleted, or is none.

    When an answered call was picked up is not told: it is taken to have been at its start.
    """
    found = _FIELDS.fullmatch(value)
    if value == _DELETED or found is None:
        return None
    number, name = _parties(_storable(found["parties"]))
    number = number[:LONGEST_USER]
    started_at = datetime.fromtimestamp(int(found["time"]), UTC)
    key = f"{int(found['time'])};{number}"
    outcome = _outcome(found)
    duration = timedelta(seconds=int(found["duration"]))
    return Call(
        id=f"call_{_digest(key)}",
        direction=(
            CallDirection.OUTGOING if found["type"] == _OUTGOING else CallDirection.INCOMING
        ),
        peer=number,
        name=name[:LONGEST_USER],
        started_at=started_at,
        answered_at=started_at if outcome is CallOutcome.ANSWERED else None,
        ended_at=started_at + duration if outcome else None,
        outcome=outcome,
        sources=(INI,),
        record_key=key,
    )


def changed(values: Mapping[str, str], before: Mapping[str, str]) -> tuple[Call, ...]:
    """The calls of *values* that differ from *before*, oldest first."""
    calls = [
        call
        for place, value in values.items()
        if before.get(place) != value and (call := decode(value))
    ]
    return tuple(sorted(calls, key=lambda call: call.started_at))


def _parties(text: str) -> tuple[str, str]:
    """Without a name of its own, a call has its number in both places."""
    half = len(text) // 2
    if text[:half] == text[half + 1 :] and text[half : half + 1] == ";":
        return text[:half], ""
    number, _, rest = text.partition(";")
    while parameter := _PARAMETER.match(rest):
        rest = rest[parameter.end() :]
    return number, "" if rest == number else rest


def _outcome(found: re.Match[str]) -> CallOutcome | None:
    """None while the call goes on: both fields are written when it ends."""
    if int(found["duration"]):
        return CallOutcome.ANSWERED
    if found["type"] in {_MISSED, _ELSEWHERE} or found["info"]:
        return _ENDED_WITHOUT.get(found["type"], CallOutcome.ANSWERED)
    return None


def _digest(key: str) -> str:
    """So that a record that is read again is the same call."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _storable(text: str) -> str:
    """Half of a surrogate pair is no character; a database takes no NUL."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\ufffd")
