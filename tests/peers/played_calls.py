"""The calls of a played MicroSIP: begun, answered, held, ended, as in its own sources."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial

OUTGOING, INCOMING, MISSED = 0, 1, 2
"""Types of a record in [Calls]."""


class State(Enum):
    """Of an INVITE session (PJSIP's names)."""

    CALLING = auto()
    EARLY = auto()
    INCOMING = auto()
    CONFIRMED = auto()


@dataclass(frozen=True)
class Record:
    """A line of [Calls]: written when a call begins, and again at its end."""

    number: str
    kind: int
    time: int
    duration: int = 0
    info: str = ""

    def __str__(self) -> str:
        return (
            f"{self.number};{self.number};{self.kind};{self.time};{self.duration};{self.info}"
        )


@dataclass
class PlayedCall:
    """One call; *key* is its place in [Calls]."""

    user: str
    state: State
    key: int
    began: float
    answered: float | None = None
    held: bool = False
    kind: int = OUTGOING

    @property
    def incoming(self) -> bool:
        return self.kind != OUTGOING


@dataclass
class Conditions:
    """How the far side and the network behave, at a test's order."""

    single_mode: bool = True
    registered: bool = True
    do_not_disturb: bool = False
    rings_back_after: float = 0.02
    picks_up_after: float | None = None
    """Seconds until a called party answers; None: never by itself."""
    takes_effect_after: float = 0.0
    """Seconds until a hold or a hang-up shows."""


@dataclass
class Calls:
    """What goes on; every change is told to the *hook* and the *record* keeper."""

    hook: Callable[[str, str], None] = lambda _key, _user: None
    record: Callable[[int, Record], None] = lambda _key, _record: None
    clock: Callable[[], float] = time.time
    conditions: Conditions = field(default_factory=Conditions)
    ongoing: list[PlayedCall] = field(default_factory=list)
    selected: PlayedCall | None = None
    """The call of the chosen tab: hold, transfer and DTMF are for this one alone."""
    remembered: str = ""
    """A number to be dialled at the next registration."""
    next_key: int = 0
    """Of the next record in [Calls]."""
    _later: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def tick(self) -> None:
        """Let happen what is due."""
        now = self.clock()
        due = [action for at, action in self._later if at <= now]
        self._later = [(at, action) for at, action in self._later if at > now]
        for action in due:
            action()

    def dial(self, number: str) -> None:
        """One call at a time in single mode: with another up, nothing happens."""
        if not self.conditions.registered:
            self.remembered = number
        elif not (self.conditions.single_mode and self._counted()):
            self._begin(number)

    def _counted(self) -> bool:
        """Those that ring are not."""
        return any(call.state is not State.INCOMING for call in self.ongoing)

    def register(self) -> None:
        """The registrar answers again: a remembered number is dialled now."""
        self.conditions.registered = True
        number, self.remembered = self.remembered, ""
        if number:
            self.dial(number)

    def ring(self, user: str) -> None:
        """*user* calls."""
        self.hook("cmdIncomingCall", user)
        busy = any(call.user == user for call in self.ongoing)
        if self.conditions.do_not_disturb or busy:
            return
        call = self._add(PlayedCall(user, State.INCOMING, 0, self.clock(), kind=INCOMING))
        if self.selected is None:
            self.selected = call
        self.hook("cmdCallRing", user)

    def answer(self) -> None:
        """The first that rings; in single mode those that are up are ended first."""
        ringing = next((c for c in self.ongoing if c.state is State.INCOMING), None)
        if ringing is None:
            return
        if self.conditions.single_mode:
            for other in [c for c in self.ongoing if c.state is not State.INCOMING]:
                self.end(other)
        self._later_or_now(lambda: self._confirm(ringing))

    def hang_up(self, *states: State) -> None:
        """Of what rings too it says only that it has ended, not that it was declined."""
        for call in [c for c in self.ongoing if c.state in states]:
            self._later_or_now(partial(self.end, call))

    def toggle_hold(self) -> None:
        call = self.selected
        if call and call.state is State.CONFIRMED:
            self._later_or_now(lambda: setattr(call, "held", not call.held))

    def transfer(self) -> None:
        """Blind: the call is gone when the other side took it."""
        if self.selected and self.selected.state is State.CONFIRMED:
            call = self.selected
            self._later_or_now(lambda: self.end(call))

    def far_side_answers(self) -> None:
        for call in [c for c in self.ongoing if c.state in {State.CALLING, State.EARLY}]:
            self._confirm(call)

    def far_side_ends(self, *, busy: bool = False) -> None:
        for call in list(self.ongoing):
            self.end(call, busy=busy)

    def end(self, call: PlayedCall, *, busy: bool = False) -> None:
        if call not in self.ongoing:
            return
        self.ongoing.remove(call)
        if self.selected is call:
            self.selected = self.ongoing[-1] if self.ongoing else None
        never_up = call.answered is None
        kind = MISSED if call.incoming and never_up else call.kind
        duration = 0 if call.answered is None else round(self.clock() - call.answered)
        info = "Entgangener Anruf" if kind == MISSED else "Gespräch beendet"
        self.record(call.key, Record(call.user, kind, int(call.began), duration, info))
        self.hook("cmdCallBusy" if busy else "cmdCallEnd", call.user)

    def _begin(self, number: str) -> None:
        user = number.partition("@")[0]
        call = self._add(PlayedCall(user, State.CALLING, 0, self.clock()))
        self.selected = call
        self.hook("cmdOutgoingCall", user)
        self._after(self.conditions.rings_back_after, lambda: _rings_back(call))
        if self.conditions.picks_up_after is not None:
            self._after(self.conditions.picks_up_after, lambda: self._confirm(call))

    def _add(self, call: PlayedCall) -> PlayedCall:
        call.key, self.next_key = self.next_key, (self.next_key + 1) % 1000
        self.ongoing.append(call)
        self.record(call.key, Record(call.user, call.kind, int(call.began)))
        return call

    def _confirm(self, call: PlayedCall) -> None:
        if call not in self.ongoing or call.state is State.CONFIRMED:
            return
        call.state, call.answered = State.CONFIRMED, self.clock()
        self.selected = call
        if call.incoming:
            self.hook("cmdCallAnswer", call.user)
        self.hook("cmdCallStart", call.user)

    def _later_or_now(self, action: Callable[[], None]) -> None:
        self._after(self.conditions.takes_effect_after, action)

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        if seconds:
            self._later.append((self.clock() + seconds, action))
        else:
            action()


def _rings_back(call: PlayedCall) -> None:
    if call.state is State.CALLING:
        call.state = State.EARLY
