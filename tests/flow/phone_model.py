"""A MicroSIP on virtual time, with all that goes on around it while it is commanded."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from random import Random

from gateway.microsip.controls import (
    HIDDEN,
    Button,
    Controls,
    DialerPage,
    MessagesWindow,
    RingingWindow,
)
from tests.fakes import FakeClock
from tests.peers.copydata_softphone import Softphone
from tests.peers.played_calls import Calls, PlayedCall, State


class Cause(StrEnum):
    """Who brought a change about."""

    COMMAND = "command"
    HUMAN = "human"
    """Somebody at the PC."""
    FAR_SIDE = "far side"


@dataclass(frozen=True)
class Change:
    """What became different, and through whom."""

    what: str
    """``begun``, ``rang``, ``answered``, ``ended``, ``held``, ``resumed``, ``muted`` ..."""
    whom: str
    cause: Cause
    at: float


@dataclass
class TracedCalls(Calls):
    """Whatever is due later is still whose doing it was."""

    act: Callable[[Cause, Callable[[], object]], object] = lambda _cause, action: action()
    cause: Cause = Cause.FAR_SIDE

    def after(self, seconds: float, cause: Cause, action: Callable[[], object]) -> None:
        def do() -> None:
            self.act(cause, action)

        self._later.append((self.clock() + seconds, do))

    def next_due(self) -> float:
        return min((at for at, _ in self._later), default=float("inf"))

    def _after(self, seconds: float, action: Callable[[], object]) -> None:
        if seconds:
            self.after(seconds, self.cause, action)
        else:
            action()


_Snapshot = dict[int, tuple[str, State, bool, bool]]


@dataclass
class PhoneModel:
    """The played MicroSIP's calls and grammar, without its windows and processes."""

    random: Random
    version: str
    clock: FakeClock = field(default_factory=FakeClock)
    changes: list[Change] = field(default_factory=list)
    watchers: list[Callable[[Change], None]] = field(default_factory=list)
    closed: bool = False
    frozen_until: float = 0.0
    record_button: bool = True

    def __post_init__(self) -> None:
        self.calls = TracedCalls(clock=self.time, act=self.act)
        self.phone = Softphone(self.version, self.calls)
        self._now = self.clock().timestamp()

    def time(self) -> float:
        return self._now

    @property
    def frozen(self) -> bool:
        """It waits for a program that it ran, and answers nobody."""
        return self.time() < self.frozen_until

    def act(self, cause: Cause, action: Callable[[], object]) -> None:
        """Do *action*, and note what it changed as the doing of *cause*."""
        outer, self.calls.cause = self.calls.cause, cause
        calls, levels = self._snapshot(), self._levels()
        action()
        self._note(cause, calls, levels)
        self.calls.cause = outer

    def pass_time(self, seconds: float) -> None:
        """Everything that is due happens at its moment."""
        until = self.time() + seconds
        while (due := self.calls.next_due()) <= until:
            self._set_clock(max(due, self.time()))
            self.calls.tick()
        self._set_clock(until)

    def controls(self) -> Controls:
        """As its windows show them; a look takes a while, and things happen meanwhile."""
        dialer = self._dialer()
        self._dawdle()
        messages = self._messages()
        self._dawdle()
        ringing = tuple(
            RingingWindow(answer=_SHOWN, address=f"{call.user}@office.example\r\n")
            for call in self.calls.ongoing
            if call.state is State.INCOMING
        )
        return Controls(dialer=dialer, messages=messages, ringing=ringing)

    def _dawdle(self) -> None:
        self.pass_time(self.random.choice((0.0, 0.0, 0.001, 0.02)))

    def _set_clock(self, at: float) -> None:
        self._now = at
        self.clock.now = datetime.fromtimestamp(at, UTC)

    def _snapshot(self) -> _Snapshot:
        return {
            id(call): (call.user, call.state, call.held, call.incoming)
            for call in self.calls.ongoing
        }

    def _levels(self) -> dict[str, int | bool]:
        muted = {f"mute {side}": on for side, on in self.phone.muted.items()}
        return {**self.phone.levels, **muted, "closed": self.closed}

    def _note(self, cause: Cause, calls: _Snapshot, levels: dict[str, int | bool]) -> None:
        now = self._snapshot()
        for key in now.keys() - calls.keys():
            self._told("rang" if now[key][3] else "begun", now[key][0], cause)
        for key in calls.keys() - now.keys():
            self._told("ended", calls[key][0], cause)
        for key in now.keys() & calls.keys():
            was, is_now = calls[key], now[key]
            if State.CONFIRMED in {is_now[1]} - {was[1]}:
                self._told("answered", is_now[0], cause)
            if was[2] is not is_now[2]:
                self._told("held" if is_now[2] else "resumed", is_now[0], cause)
        for name, value in self._levels().items():
            if levels[name] != value:
                self._told(name, str(value), cause)

    def _told(self, what: str, whom: str, cause: Cause) -> None:
        change = Change(what, whom, cause, self.time())
        self.changes.append(change)
        for watch in self.watchers:
            watch(change)

    def _dialer(self) -> DialerPage:
        calls, selected = self.calls, self.calls.selected
        counted = [call for call in calls.ongoing if call.state is not State.INCOMING]
        shown = calls.conditions.single_mode and bool(counted)
        up = selected is not None and selected.state is State.CONFIRMED
        return DialerPage(
            end=Button(visible=shown, enabled=True),
            hold=Button(visible=shown, enabled=up, checked=bool(selected and selected.held)),
            transfer=Button(visible=shown, enabled=_has_actions(selected)),
            record=Button(visible=True, enabled=bool(calls.ongoing))
            if self.record_button
            else None,
            number=selected.user if shown and selected else "",
            muted=self.phone.muted["mic"],
            speaker_muted=self.phone.muted["speak"],
            volume=self.phone.levels["speak"],
            mic_volume=self.phone.levels["mic"],
        )

    def _messages(self) -> MessagesWindow:
        selected = self.calls.selected
        rings = selected is not None and selected.state is State.INCOMING
        up = selected is not None and selected.state is State.CONFIRMED
        return MessagesWindow(
            end=Button(visible=selected is not None, enabled=True),
            hold=Button(visible=up, enabled=True, checked=bool(selected and selected.held)),
            transfer=Button(visible=_has_actions(selected), enabled=True),
            call=HIDDEN
            if selected and not (rings and self.version != "3.20.5")
            else Button(visible=True, enabled=True),
            tabs=len({change.whom for change in self.changes}) + 1,
            caption=selected.user if selected else "a chat",
        )


_SHOWN = Button(visible=True, enabled=True)


def _has_actions(call: PlayedCall | None) -> bool:
    return call is not None and call.state in {State.EARLY, State.INCOMING, State.CONFIRMED}
