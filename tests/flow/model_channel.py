"""How the model of MicroSIP is reached: strings that get lost, hangs, hooks that come late."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from gateway.call import HOOK, INI, Call, CallDirection, CallOutcome
from gateway.errors import PhoneError
from gateway.microsip.controls import look_at
from gateway.microsip.versions import (
    NOT_LOOKED,
    CloseWindow,
    Impossible,
    Pause,
    Version,
    describe,
    plan,
)
from gateway.phone import PhoneCommand, Problem
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look
from tests.flow.phone_model import Cause, Change, PhoneModel
from tests.peers.played_calls import State

PATIENCE = 5.0


@dataclass(frozen=True)
class Odds:
    """How often it goes wrong."""

    lost: float = 0.1
    """A string that MicroSIP takes, and does nothing about."""
    hangs: float = 0.08
    not_up: float = 0.03
    dies: float = 0.01


@dataclass(frozen=True)
class HandOver:
    """When a command was handed over, and with whom there were calls then."""

    at: float
    up: frozenset[str]
    ringing: frozenset[str]

    @classmethod
    def to(cls, model: PhoneModel) -> "HandOver":
        ongoing = model.calls.ongoing
        ringing = frozenset(c.user for c in ongoing if c.state is State.INCOMING)
        return cls(model.time(), frozenset(c.user for c in ongoing) - ringing, ringing)


class ModelChannel:
    """Does what CopyDataChannel does, on virtual time."""

    name = "copydata"
    simulated = False

    def __init__(self, model: PhoneModel, odds: Odds) -> None:
        self._model = model
        self._odds = odds
        self._seen = NOT_LOOKED
        self.handed_over: list[HandOver] = []

    def phrase(self, command: PhoneCommand) -> str:
        return describe(plan(command, self._version, self._seen))

    async def execute(self, command: PhoneCommand) -> None:
        model, random = self._model, self._model.random
        self._check()
        self._seen = look_at(model.controls())
        steps = plan(command, self._version, self._seen)
        if isinstance(steps, Impossible):
            raise PhoneError(Problem.FAILED, steps.reason)
        self.handed_over.append(HandOver.to(model))
        if random.random() < self._odds.not_up:
            raise PhoneError(Problem.FAILED, "MicroSIP is still starting")
        for step in steps:
            model.pass_time(
                step.seconds if isinstance(step, Pause) else random.uniform(0, 0.01)
            )
            if isinstance(step, CloseWindow):
                self._close()
            elif not isinstance(step, Pause):
                self._send(step.text)

    async def write(self, message: PhoneMessage) -> None:
        raise NotImplementedError(message)

    async def status(self) -> Look:
        self._check()
        self._seen = look_at(self._model.controls())
        return self._seen

    @property
    def _version(self) -> Version:
        version = Version.parse(self._model.version)
        assert version is not None
        return version

    def _check(self) -> None:
        """The ping: raises when nothing would be answered."""
        if self._model.closed:
            raise PhoneError(Problem.NOT_RUNNING, "MicroSIP is not running")
        if self._model.frozen:
            self._model.pass_time(min(PATIENCE, self._model.frozen_until - self._model.time()))
        if self._model.frozen:
            raise PhoneError(Problem.NOT_RESPONDING, "MicroSIP does not respond")

    def _send(self, text: str) -> None:
        model, random = self._model, self._model.random
        if random.random() < self._odds.dies:
            model.act(Cause.COMMAND, self._die)
            raise PhoneError(Problem.NOT_RESPONDING, "MicroSIP ended while it was asked")
        if random.random() >= self._odds.hangs:
            self._carry_out(text)
            return
        hang = random.uniform(0.01, 12)
        model.frozen_until = model.time() + hang
        if hang < PATIENCE:
            model.pass_time(hang)
            self._carry_out(text)
            return
        if random.random() >= self._odds.lost:
            model.calls.after(hang, Cause.COMMAND, partial(self._model.phone.execute, text))
        model.pass_time(PATIENCE)
        raise PhoneError(Problem.NOT_RESPONDING, "MicroSIP did not answer in time")

    def _carry_out(self, text: str) -> None:
        if self._model.random.random() >= self._odds.lost:
            self._model.act(Cause.COMMAND, partial(self._model.phone.execute, text))

    def _close(self) -> None:
        if self._model.random.random() >= self._odds.lost:
            self._model.calls.after(self._model.random.uniform(0, 3), Cause.COMMAND, self._die)

    def _die(self) -> None:
        self._model.closed = True
        for call in list(self._model.calls.ongoing):
            self._model.calls.end(call)


@dataclass
class ModelWatch:
    """Calls as hooks or [Calls] tell of them: late, sometimes not at all."""

    model: PhoneModel
    source: str
    """``hook`` or ``ini``."""
    lost: float = 0.05
    _told: list[tuple[float, Change]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model.watchers.append(self._note)

    def declining(self) -> None:
        """It tells nobody of missed calls."""

    async def recent(self) -> Sequence[Call]:
        calls: dict[str, Call] = {}
        for number, (at, change) in enumerate(self._told):
            if at <= self.model.time():
                self._take(calls, change, number)
        horizon = self.model.clock() - timedelta(minutes=1)
        kept = [c for c in calls.values() if c.ended_at is None or c.ended_at >= horizon]
        return sorted(kept, key=lambda call: call.started_at, reverse=True)

    def _note(self, change: Change) -> None:
        if self.model.random.random() >= self.lost:
            delay = self.model.random.uniform(0.005, 0.3 if self.source == HOOK else 1)
            self._told.append((change.at + delay, change))

    def _take(self, calls: dict[str, Call], change: Change, number: int) -> None:
        at = self._time(change)
        if change.what in {"begun", "rang"}:
            outgoing = change.what == "begun"
            calls[f"call_{number}"] = Call(
                id=f"call_{number}",
                direction=CallDirection.OUTGOING if outgoing else CallDirection.INCOMING,
                peer=change.whom,
                started_at=at,
                sources=(self.source,),
            )
        open_calls = [c for c in calls.values() if c.peer == change.whom and not c.ended_at]
        for call in open_calls[-1:]:
            if change.what == "answered" and self.source == HOOK:
                calls[call.id] = replace(call, answered_at=at)
            if change.what == "ended":
                outcome = CallOutcome.UNKNOWN
                calls[call.id] = replace(call, ended_at=at, outcome=outcome)

    def _time(self, change: Change) -> datetime:
        at = datetime.fromtimestamp(change.at, UTC)
        return at.replace(microsecond=0) if self.source == INI else at
