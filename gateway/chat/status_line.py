"""What is known of MicroSIP, in one line."""

from collections.abc import Iterator
from datetime import datetime, tzinfo

from gateway.phone_status import PhoneState, PhoneStatus

_WITH = {
    PhoneState.RINGING: "ringing, {} calls",
    PhoneState.DIALING: "dialing {}",
    PhoneState.ACTIVE: "active with {}",
    PhoneState.HELD: "held with {}",
}


def status_line(status: PhoneStatus, zone: tzinfo | None) -> str:
    """``active with 1002 since 14:03; microphone muted; volume 40``.

    Times are of *zone*, without one of this machine's.
    """
    return "; ".join(_parts(status, zone))


def _parts(status: PhoneStatus, zone: tzinfo | None) -> Iterator[str]:
    yield _call(status, zone)
    if status.raw and not status.peer and status.raw.lower() != status.state:
        yield status.raw  # it may name the peer; else it says the same once more
    if status.muted and status.muted.value:
        yield "microphone muted"
    if status.volume:
        yield f"volume {status.volume.value}"


def _call(status: PhoneStatus, zone: tzinfo | None) -> str:
    state = status.state.value
    if status.peer and status.state in _WITH:
        state = _WITH[status.state].format(status.peer.value)
    if status.since and status.state in _WITH:
        now = status.observed_at.astimezone(zone)
        state += f" since {_time(status.since.value.astimezone(zone), now)}"
    return state


def _time(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M}" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}"
