"""The channel that starts MicroSIP for a command that finds none."""

from collections.abc import Awaitable, Callable

from gateway.errors import PhoneError
from gateway.microsip.process import Answers
from gateway.phone import PhoneCommand, Problem, Verb
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look
from gateway.ports import Channel

NEEDS_CALL = frozenset(
    {Verb.HANGUP, Verb.ANSWER, Verb.REJECT, Verb.HOLD, Verb.TRANSFER, Verb.DTMF}
)
NO_CALL = "MicroSIP is not running, so that there is no call"


class StartingChannel:
    """Only a command starts it, never a look; and only one that can do without a call."""

    def __init__(self, *, inner: Channel, start: Callable[[Answers], Awaitable[None]]) -> None:
        """*start* is ``MicroSipProcess.start``."""
        self._inner = inner
        self._start = start

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def simulated(self) -> bool:
        return self._inner.simulated

    def phrase(self, command: PhoneCommand) -> str:
        return self._inner.phrase(command)

    async def execute(self, command: PhoneCommand) -> None:
        try:
            await self._inner.execute(command)
        except PhoneError as exc:
            if exc.problem != Problem.NOT_RUNNING or command.verb is Verb.CLOSE:
                raise
            if command.verb in NEEDS_CALL:
                raise PhoneError(Problem.NOT_RUNNING, NO_CALL) from exc
        else:
            return
        await self._start(self._inner.status)
        await self._inner.execute(command)

    async def write(self, message: PhoneMessage) -> None:
        """Starts nothing: a MicroSIP that is not registered yet keeps it for later."""
        await self._inner.write(message)

    async def status(self) -> Look:
        return await self._inner.status()
