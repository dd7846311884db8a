"""A simulated MicroSIP, for ``--demo`` or a test."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.call import CallEvent, CallEventKind
from gateway.errors import PhoneError
from gateway.message import uuid7
from gateway.microsip.phrase import phrase
from gateway.phone import PhoneCommand, Problem, Verb
from gateway.phone_message import PhoneMessage
from gateway.phone_status import CALL_UP, Look, PhoneState
from gateway.ports import Clock

ANSWERED_AFTER = timedelta(seconds=1)

_WORDS = {
    PhoneState.IDLE: "Idle",
    PhoneState.RINGING: "Ringing",
    PhoneState.DIALING: "Dialing",
    PhoneState.ACTIVE: "In call",
    PhoneState.HELD: "On hold",
}


@dataclass(frozen=True, slots=True)
class _Call:
    state: PhoneState = PhoneState.IDLE
    number: str = ""
    since: datetime | None = None

    @property
    def user(self) -> str:
        return self.number.removeprefix("sip:").partition("@")[0]

    def at(self, now: datetime) -> "_Call":
        """Whoever is dialled picks up by himself after a second."""
        if (
            self.state is PhoneState.DIALING
            and self.since
            and now >= self.since + ANSWERED_AFTER
        ):
            return _Call(PhoneState.ACTIVE, self.number)
        return self


Tell = Callable[[CallEvent], None]
"""Gets what MicroSIP's event hooks would tell."""


def nobody(_event: CallEvent) -> None:
    """Is told."""


class SimulatedChannel:
    """A phone with one call at a time; like MicroSIP's, its Status tells of calls alone."""

    name = "simulated"
    simulated = True

    def __init__(self, *, clock: Clock, tell: Tell = nobody) -> None:
        self._clock = clock
        self._tell = tell
        self._call = _Call()
        self._closed = False
        self.written: list[PhoneMessage] = []
        """The messages it would have sent."""

    def phrase(self, command: PhoneCommand) -> str:
        return phrase(command, "plain")

    async def execute(self, command: PhoneCommand) -> None:
        self._check_running()
        self._become(self._call.at(self._clock()))
        call = self._call
        match command.verb:
            case Verb.DIAL | Verb.CALLTO:
                self._become(_Call(PhoneState.DIALING, command.argument, self._clock()))
            case Verb.HANGUP | Verb.TRANSFER | Verb.DTMF:
                self._in_call(call, command)
            case Verb.HOLD:
                self._hold(call)
            case Verb.ANSWER | Verb.REJECT:
                self._ringing(call, command)
            case Verb.CLOSE:
                self._become(_Call())
                self._closed = True
            case _:
                pass  # mute, volumes, devices: nothing that Status would show

    async def write(self, message: PhoneMessage) -> None:
        self._check_running()
        self.written.append(message)

    async def status(self) -> Look:
        self._check_running()
        self._become(self._call.at(self._clock()))
        call = self._call
        return Look(words=f"{_WORDS[call.state]} {call.number}".rstrip())

    def ring(self, number: str) -> None:
        """*number* calls."""
        self._call = _Call(PhoneState.RINGING, number)

    def play(self, event: CallEvent) -> None:
        """What a hook told by hand: *event* happens here too, and is not told again."""
        match event.kind:
            case CallEventKind.RING if self._call.state is PhoneState.IDLE:
                self.ring(event.user)
            case CallEventKind.END | CallEventKind.BUSY if self._call.user == event.user:
                self._call = _Call()
            case _:
                pass  # the simulated phone has no such call

    def _become(self, call: _Call) -> None:
        before, self._call = self._call, call
        now = self._clock()
        for kind, user in _told(before, call):
            self._tell(CallEvent(id=f"evt_{uuid7(now)}", kind=kind, user=user, at=now))

    def _check_running(self) -> None:
        if self._closed:
            raise PhoneError(
                Problem.NOT_RUNNING,
                "the simulated MicroSIP was closed; restart the gateway to have it back",
            )

    def _in_call(self, call: _Call, command: PhoneCommand) -> None:
        if call.state not in CALL_UP:
            raise _refused(command)
        if command.verb is not Verb.DTMF:
            self._become(_Call())

    def _hold(self, call: _Call) -> None:
        if call.state not in {PhoneState.ACTIVE, PhoneState.HELD}:
            raise _refused(PhoneCommand(Verb.HOLD))
        held = call.state is PhoneState.HELD
        self._become(_Call(PhoneState.ACTIVE if held else PhoneState.HELD, call.number))

    def _ringing(self, call: _Call, command: PhoneCommand) -> None:
        if call.state is not PhoneState.RINGING:
            raise _refused(command)
        answered = command.verb is Verb.ANSWER
        self._become(_Call(PhoneState.ACTIVE, call.number) if answered else _Call())


def _told(before: _Call, after: _Call) -> Iterator[tuple[CallEventKind, str]]:
    """What hooks would tell of the change, by kind and user."""
    if before.state is not PhoneState.IDLE and before.number != after.number:
        yield CallEventKind.END, before.user
    match before.state, after.state:
        case _, PhoneState.DIALING if before is not after:
            yield CallEventKind.OUTGOING, after.user
        case PhoneState.RINGING, PhoneState.ACTIVE:
            yield CallEventKind.ANSWER, after.user
            yield CallEventKind.START, after.user
        case PhoneState.DIALING, PhoneState.ACTIVE:
            yield CallEventKind.START, after.user
        case _:
            pass  # no hook is run


def _refused(command: PhoneCommand) -> PhoneError:
    return PhoneError(
        Problem.FAILED,
        f"the simulated MicroSIP refused {command.verb}: it has no call for that",
    )
