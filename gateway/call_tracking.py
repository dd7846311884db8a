"""The calls that go on, as one event hook after the other tells of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from gateway.call import HOOK, Call, CallDirection, CallEvent, CallEventKind, CallOutcome
from gateway.call_record import SAME_TIME, same_number
from gateway.events import EventType

TURNED_AWAY_AFTER = timedelta(seconds=10)
"""An incoming call that has not rung by then never will; MicroSIP tells no end of it."""
LONGEST_CALL = timedelta(hours=24)
"""Of one that goes on for longer, the end was not told."""
_RING_FOLLOWS = timedelta(seconds=2)
_CHALLENGED = timedelta(seconds=32)  # Timer B of RFC 3261, section 17.1.1.2


@dataclass(frozen=True, slots=True)
class Change:
    """A call that is new, or as it is now."""

    call: Call
    told: EventType | None = None
    """What happened to it; None: nothing that anybody would be told."""


def track(ongoing: Sequence[Call], event: CallEvent) -> tuple[Change, ...]:
    """What *event* changes: its own call last, before it those that must be over.

    *ongoing* are the calls without an end, oldest first. The user part is all that says
    which call an event is of, and MicroSIP lets one user have one call: it turns another
    away. Empty: the event is of no call that is known, nor does it say its direction.
    """
    its_own = [call for call in ongoing if _is_of(call, event)]
    change = _change(ongoing, its_own, event)
    if change is None:
        return ()
    over, own = _superseded(its_own, change.call)
    return (*over, change, *own)


def overdue(ongoing: Iterable[Call], now: datetime) -> tuple[Change, ...]:
    """Those whose end nobody will tell, because they never rang or went on for too long."""
    return tuple(
        _over(call, CallOutcome.TURNED_AWAY, call.started_at)
        if _only_came_in(call)
        else _over(call, CallOutcome.UNKNOWN, now)
        for call in ongoing
        if now - call.started_at >= (TURNED_AWAY_AFTER if _only_came_in(call) else LONGEST_CALL)
    )


def orphaned(ongoing: Iterable[Call], ended_before: datetime | None) -> tuple[Change, ...]:
    """Those that began before the MicroSIP that runs now; None: nobody can tell."""
    if ended_before is None:
        return ()
    return tuple(
        _over(call, CallOutcome.UNKNOWN, ended_before)
        for call in ongoing
        if call.started_at < ended_before
    )


def _change(
    ongoing: Sequence[Call], its_own: Sequence[Call], event: CallEvent
) -> Change | None:
    match event.kind:
        case CallEventKind.OUTGOING:
            return _dialled(its_own, event)
        case CallEventKind.INCOMING:
            return _came_in(its_own, event)
        case CallEventKind.RING:
            return _rang(its_own, event) or _rang_as_another(ongoing, event)
        case CallEventKind.ANSWER | CallEventKind.ANSWER_VIDEO:
            return _answered(its_own, event)
        case CallEventKind.START:
            return _started(its_own, event)
        case CallEventKind.BUSY | CallEventKind.END:
            return _ended(its_own or _anonymous(ongoing, event), event)
        case _:
            assert_never(event.kind)


def _is_of(call: Call, event: CallEvent) -> bool:
    """A record of [Calls] may write the number in another way."""
    if HOOK in call.sources:
        return call.peer == event.user
    return same_number(event.user, call.peer, call.direction)


def _dialled(its_own: Sequence[Call], event: CallEvent) -> Change | None:
    for call in its_own:
        if call.direction is not CallDirection.OUTGOING or call.answered_at:
            continue
        if HOOK not in call.sources and _at_once(call, event):
            return Change(_by_hook(call, event), EventType.CALL_OUTGOING)
        if HOOK in call.sources and abs(event.at - call.started_at) < _CHALLENGED:
            return Change(call)  # the INVITE was sent again, with credentials
    return Change(_new(event, CallDirection.OUTGOING), EventType.CALL_OUTGOING)


def _came_in(its_own: Sequence[Call], event: CallEvent) -> Change | None:
    for call in its_own:
        if call.direction is not CallDirection.INCOMING:
            continue
        if HOOK not in call.sources and _at_once(call, event):
            return Change(_by_hook(call, event), EventType.CALL_INCOMING)
        began_without = call.started_at in {call.rang_at, call.answered_at}
        if began_without and timedelta() <= call.started_at - event.at < TURNED_AWAY_AFTER:
            return Change(replace(call, started_at=event.at))  # what followed came first
    return Change(_new(event, CallDirection.INCOMING), EventType.CALL_INCOMING)


def _rang(its_own: Sequence[Call], event: CallEvent) -> Change | None:
    incoming = [c for c in its_own if c.direction is CallDirection.INCOMING]
    for call in incoming:
        if HOOK in call.sources and _not_heard(call) and call.started_at <= event.at:
            return Change(replace(call, rang_at=event.at), EventType.CALL_RINGING)
    for call in incoming:
        if HOOK not in call.sources and _at_once(call, event):
            known = replace(_by_hook(call, event), rang_at=event.at)
            return Change(known, EventType.CALL_RINGING)
        if call.rang_at is None and call.answered_at and event.at <= call.answered_at:
            return Change(replace(call, rang_at=max(event.at, call.started_at)))
        if call.answered_at is None:
            return Change(call)
    return None


def _rang_as_another(ongoing: Sequence[Call], event: CallEvent) -> Change:
    """Until 3.21.6 the first event names From, the others P-Asserted-Identity."""
    came_in = [
        call
        for call in ongoing
        if _only_came_in(call) and timedelta() <= event.at - call.started_at < _RING_FOLLOWS
    ]
    if len(came_in) == 1:
        call = replace(came_in[0], peer=event.user, rang_at=event.at)
        return Change(call, EventType.CALL_RINGING)
    call = replace(_new(event, CallDirection.INCOMING), rang_at=event.at)
    return Change(call, EventType.CALL_RINGING)


def _answered(its_own: Sequence[Call], event: CallEvent) -> Change | None:
    incoming = [
        call
        for call in its_own
        if call.direction is CallDirection.INCOMING and call.started_at <= event.at
    ]
    if up := [call for call in incoming if call.answered_at]:
        return Change(up[0])
    waiting = sorted(incoming, key=_only_came_in)
    call = waiting[0] if waiting else _new(event, CallDirection.INCOMING)
    return _up(call, event)


def _started(its_own: Sequence[Call], event: CallEvent) -> Change | None:
    """It does not say of which direction the call is that is up now."""
    before = [call for call in its_own if call.started_at <= event.at]
    if not before:
        return None
    if up := [call for call in before if call.answered_at]:
        return Change(up[0])
    return _up(min(before, key=_only_came_in), event)


def _up(call: Call, event: CallEvent) -> Change:
    return Change(replace(_known(call), answered_at=event.at), EventType.CALL_STARTED)


def _ended(its_own: Sequence[Call], event: CallEvent) -> Change | None:
    before = [call for call in its_own if call.started_at <= event.at]
    if not before:
        return None
    call = _known(min(before, key=lambda call: (call.answered_at is None, _only_came_in(call))))
    busy = event.kind is CallEventKind.BUSY
    return _over(call, _outcome(call, busy=busy), event.at)


def _anonymous(ongoing: Sequence[Call], event: CallEvent) -> Sequence[Call]:
    """Of a caller without a user part, the end alone names the domain."""
    nameless = [call for call in ongoing if not call.peer and not _only_came_in(call)]
    return nameless if "." in event.user or ":" in event.user else ()


def _outcome(call: Call, *, busy: bool) -> CallOutcome:
    if call.answered_at:
        return CallOutcome.ANSWERED
    if call.direction is CallDirection.INCOMING:
        return CallOutcome.MISSED  # busy: it was declined here
    return CallOutcome.BUSY if busy else CallOutcome.UNANSWERED


def _superseded(
    its_own: Iterable[Call], call: Call
) -> tuple[Sequence[Change], Sequence[Change]]:
    """Of calls of one user the last is the one there is; the ends of others were not told.

    Returns what that means for the others, then for *call* itself.
    """
    if call.ended_at or _only_came_in(call):
        return (), ()
    others = [c for c in its_own if c.id != call.id and not _only_came_in(c)]
    last = max((call, *others), key=lambda c: c.started_at)
    over = [_over(c, CallOutcome.UNKNOWN, last.started_at) for c in others if c is not last]
    return over, () if last is call else [_over(call, CallOutcome.UNKNOWN, last.started_at)]


def _over(call: Call, outcome: CallOutcome, at: datetime) -> Change:
    times = (at, call.started_at, call.rang_at, call.answered_at)
    ended_at = max(time for time in times if time)
    return Change(replace(call, ended_at=ended_at, outcome=outcome), EventType.CALL_ENDED)


def _new(event: CallEvent, direction: CallDirection) -> Call:
    return Call(
        id=f"call_{event.id.partition('_')[2]}",
        direction=direction,
        peer=event.user,
        started_at=event.at,
        sources=(HOOK,),
    )


def _by_hook(call: Call, event: CallEvent) -> Call:
    return replace(_known(call), peer=event.user, started_at=event.at)


def _known(call: Call) -> Call:
    return replace(call, sources=tuple(sorted({*call.sources, HOOK})))


def _at_once(call: Call, event: CallEvent) -> bool:
    return abs(call.started_at - event.at) <= SAME_TIME


def _only_came_in(call: Call) -> bool:
    """An INVITE, of which nobody knows yet whether it is turned away."""
    incoming = call.direction is CallDirection.INCOMING
    return incoming and call.sources == (HOOK,) and _not_heard(call)


def _not_heard(call: Call) -> bool:
    return call.rang_at is None and call.answered_at is None
