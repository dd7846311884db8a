"""One status of MicroSIP out of what its words, windows, calls and settings tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from gateway.call import Call, CallDirection
from gateway.microsip.observation import Observation
from gateway.microsip.settings_in_use import SettingsInUse
from gateway.phone_status import PhoneState, PhoneStatus, Seen

T = TypeVar("T")

WINDOW = "window"
INI = "ini"
_ANSWERED = frozenset({PhoneState.ACTIVE, PhoneState.HELD})


@dataclass(frozen=True, slots=True)
class _State:
    """With the call that it is of, where that is known."""

    value: Seen[PhoneState]
    call: Call | None = None


def merge(
    seen: Observation, settings: SettingsInUse | None, *, channel: str, now: datetime
) -> PhoneStatus:
    """Each fact by who can prove it; of two that can, by who told last.

    MicroSIP itself and its windows show what is, hooks and [Calls] what began or ended: they
    name the call, and count for the state where they are newer, or alone.
    """
    calls = seen.calls or ()
    at = seen.at or now
    state = _newer(_shown(seen, calls, channel, at), _told(calls), at)
    look, call = seen.look, state.call
    return PhoneStatus(
        state=state.value.value,
        raw=seen.raw or "",
        source=state.value.source,
        observed_at=state.value.observed_at,
        peer=_peer(seen, state, at),
        direction=_direction(state, at),
        since=_of_call(call, call.answered_at or call.started_at) if call else None,
        muted=_in_window(look.muted, at),
        volume=_in_window(look.volume, at),
        mic_volume=_in_window(look.mic_volume, at),
        input_device=_by_ini(settings.input_device, settings) if settings else None,
        output_device=_by_ini(settings.output_device, settings) if settings else None,
    )


def _shown(seen: Observation, calls: Sequence[Call], channel: str, at: datetime) -> _State:
    source = channel if seen.raw is not None or not seen.states else WINDOW
    going_on = [call for call in calls if call.ended_at is None]
    fitting = [call for call in going_on if seen.state in _may_be(call)]
    # The newest: MicroSIP shows the call that was made or answered last.
    return _State(Seen(seen.state, source, at), next(iter(fitting), None))


def _told(calls: Sequence[Call]) -> _State | None:
    """By the calls alone; None: they know of none."""
    for call in calls:
        if call.ended_at is None:
            return _State(_of_call(call, _state_of(call)), call)
    if not calls:
        return None
    last = max(calls, key=lambda call: call.ended_at or call.started_at)
    return _State(_of_call(last, PhoneState.IDLE))


def _newer(shown: _State, told: _State | None, at: datetime) -> _State:
    if told is None:
        return shown
    if shown.value.value is PhoneState.UNKNOWN or told.value.observed_at > at:
        return told
    return shown


def _peer(seen: Observation, state: _State, at: datetime) -> Seen[str] | None:
    rings = state.value.value is PhoneState.RINGING
    if rings and seen.look.peer:
        return Seen(seen.look.peer, WINDOW, at)
    if state.call:
        return _of_call(state.call, state.call.peer)
    connected = state.value.value in _ANSWERED | {PhoneState.DIALING}
    if connected and seen.look.number:
        return Seen(seen.look.number, WINDOW, at)
    return None


def _direction(state: _State, at: datetime) -> Seen[CallDirection] | None:
    if state.call:
        return _of_call(state.call, state.call.direction)
    match state.value.value:
        case PhoneState.RINGING:
            return Seen(CallDirection.INCOMING, state.value.source, at)
        case PhoneState.DIALING:
            return Seen(CallDirection.OUTGOING, state.value.source, at)
        case _:
            return None


def _may_be(call: Call) -> frozenset[PhoneState]:
    """The states that *call*, which goes on, can be in; [Calls] tells of no answer."""
    if call.answered_at is not None:
        return _ANSWERED
    begun = frozenset({_state_of(call)})
    return begun if _source(call) != INI else begun | _ANSWERED


def _state_of(call: Call) -> PhoneState:
    if call.answered_at is not None:
        return PhoneState.ACTIVE
    incoming = call.direction is CallDirection.INCOMING
    return PhoneState.RINGING if incoming else PhoneState.DIALING


def _of_call(call: Call, value: T) -> Seen[T]:
    return Seen(value, _source(call), call.ended_at or call.answered_at or call.started_at)


def _source(call: Call) -> str:
    return next(iter(call.sources), INI)


def _in_window(value: T | None, at: datetime) -> Seen[T] | None:
    return None if value is None else Seen(value, WINDOW, at)


def _by_ini(value: str, settings: SettingsInUse) -> Seen[str]:
    return Seen(value, INI, settings.read_at)
