"""A call as ``[Calls]`` of microsip.ini tells it, beside what the event hooks told."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.call import HOOK, INI, Call, CallDirection, CallOutcome

SAME_TIME = timedelta(seconds=5)
"""A record's time is in whole seconds, and is noted when the call's window is ready."""

_SEPARATORS = str.maketrans("", "", " -.()")
_END_OF_USER = ("@", ";", ",")  # MicroSIP notes parameters, and digits to dial afterwards


def same_call(known: Iterable[Call], told: Call) -> Call | None:
    """The one of *known*, which hooks may have told of, that the record *told* is of."""
    calls = [call for call in known if _may_be(call, told)]
    return min(
        calls,
        key=lambda call: (not call.record_key, abs(call.started_at - told.started_at)),
        default=None,
    )


def _may_be(known: Call, told: Call) -> bool:
    if known.record_key:
        return known.record_key == told.record_key
    return (
        known.direction is told.direction
        and abs(known.started_at - told.started_at) <= SAME_TIME
        and same_number(known.peer, told.peer, known.direction)
    )


def same_number(user: str, number: str, direction: CallDirection) -> bool:
    """Whether a hook's *user* part is the *number* of a record.

    MicroSIP keeps the account's dialling prefix out of the number it notes.
    """
    dialled, noted = _plain(user), _plain(number)
    if dialled == noted:
        return True
    outgoing = direction is CallDirection.OUTGOING
    return outgoing and len(noted) > 1 and dialled.endswith(noted)


def merged(known: Call, told: Call) -> Call:
    """*known* with what only the record *told* says; the times of hooks count."""
    if HOOK not in known.sources:
        return replace(told, id=known.id) if told.outcome else _named(known, told)
    return _named(_concluded(known, told), told)


def going_on(told: Call) -> Call:
    """The record *told* without what it says of the end."""
    return replace(told, answered_at=None, ended_at=None, outcome=None)


def _named(known: Call, told: Call) -> Call:
    return replace(
        known,
        name=told.name or known.name,
        sources=tuple(sorted({*known.sources, INI})),
        record_key=told.record_key,
    )


def _concluded(known: Call, told: Call) -> Call:
    if told.outcome is None or not _knows_better(known, told.outcome):
        return known
    answered_at = known.answered_at
    if told.outcome is CallOutcome.ANSWERED and answered_at is None:
        answered_at = known.rang_at or known.started_at
    return replace(
        known,
        answered_at=answered_at,
        ended_at=_end(known, told, answered_at),
        outcome=CallOutcome.ANSWERED if answered_at else told.outcome,
    )


def _knows_better(known: Call, outcome: CallOutcome) -> bool:
    if known.outcome is CallOutcome.MISSED:
        return outcome is CallOutcome.ELSEWHERE
    return known.outcome in {None, CallOutcome.UNKNOWN}


def _end(known: Call, told: Call, answered_at: datetime | None) -> datetime:
    if known.ended_at and known.outcome is CallOutcome.MISSED:
        return known.ended_at
    if answered_at and told.answered_at and told.ended_at:
        return answered_at + (told.ended_at - told.answered_at)
    times = (known.started_at, known.rang_at, answered_at, told.ended_at)
    return max(time for time in times if time)


def _plain(number: str) -> str:
    for mark in _END_OF_USER:
        number = number.partition(mark)[0]
    number = number.translate(_SEPARATORS).casefold()
    return "+" + number[2:] if number.startswith("00") else number
