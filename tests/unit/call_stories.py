"""What the event hooks of MicroSIP tell, second by second."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from gateway.call import Call, CallEvent, CallEventKind
from gateway.call_tracking import Change, track
from gateway.events import EventType
from tests.fakes import NOON

SECOND = timedelta(seconds=1)


def hook(kind: str, user: str = "555", *, second: float = 0) -> CallEvent:
    return CallEvent(
        id=f"evt_{kind}-{user}-{second}",
        kind=CallEventKind(kind),
        user=user,
        at=NOON + second * SECOND,
    )


def hooks(*kinds: str, user: str = "555") -> list[CallEvent]:
    """A second apart."""
    return [hook(kind, user, second=second) for second, kind in enumerate(kinds)]


class Story:
    """All that was told, and the calls as they are after it."""

    def __init__(self, events: Iterable[CallEvent] = ()) -> None:
        self.known: dict[str, Call] = {}
        self.told: list[EventType | None] = []
        for event in events:
            self.take(event)

    @property
    def ongoing(self) -> list[Call]:
        without_end = (call for call in self.known.values() if not call.ended_at)
        return sorted(without_end, key=lambda call: call.started_at)

    @property
    def calls(self) -> list[Call]:
        return list(self.known.values())

    @property
    def only(self) -> Call:
        (call,) = self.calls
        return call

    def take(self, event: CallEvent) -> None:
        self.apply(track(self.ongoing, event))

    def apply(self, changes: Sequence[Change]) -> None:
        for change in changes:
            self.known[change.call.id] = change.call
            self.told.append(change.told)
