"""What is known of MicroSIP, as JSON."""

from datetime import datetime
from typing import TypeVar

from gateway.call import CallDirection
from gateway.phone_status import PhoneState, PhoneStatus, Seen
from gateway.representation import rfc3339
from gateway.web.route import View

T = TypeVar("T")


class FactView(View):
    """Who told it, and when."""

    source: str
    observed_at: str


class StateView(FactView):
    value: PhoneState


class TextView(FactView):
    value: str


class DirectionView(FactView):
    value: CallDirection


class SwitchView(FactView):
    value: bool


class LevelView(FactView):
    """0 to 100."""

    value: int


class PhoneView(View):
    """What is known of MicroSIP; null: that is not. *raw* is what it said itself."""

    state: StateView
    peer: TextView | None
    direction: DirectionView | None
    since: TextView | None
    muted: SwitchView | None
    volume: LevelView | None
    mic_volume: LevelView | None
    input_device: TextView | None
    output_device: TextView | None
    raw: str


def phone_view(status: PhoneStatus) -> PhoneView:
    told = status.direction
    return PhoneView(
        state=StateView(
            value=status.state, source=status.source, observed_at=rfc3339(status.observed_at)
        ),
        peer=_text(status.peer),
        direction=DirectionView(value=told.value, **_told(told)) if told else None,
        since=_time(status.since),
        muted=_switch(status.muted),
        volume=_level(status.volume),
        mic_volume=_level(status.mic_volume),
        input_device=_text(status.input_device),
        output_device=_text(status.output_device),
        raw=status.raw,
    )


def _told(seen: Seen[T]) -> dict[str, str]:
    return {"source": seen.source, "observed_at": rfc3339(seen.observed_at)}


def _text(seen: Seen[str] | None) -> TextView | None:
    return TextView(value=seen.value, **_told(seen)) if seen else None


def _time(seen: Seen[datetime] | None) -> TextView | None:
    return TextView(value=rfc3339(seen.value), **_told(seen)) if seen else None


def _switch(seen: Seen[bool] | None) -> SwitchView | None:
    return SwitchView(value=seen.value, **_told(seen)) if seen else None


def _level(seen: Seen[int] | None) -> LevelView | None:
    return LevelView(value=seen.value, **_told(seen)) if seen else None
