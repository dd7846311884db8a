"""The channel where there is no MicroSIP to talk to."""

from gateway.errors import PhoneError
from gateway.microsip.phrase import phrase
from gateway.phone import PhoneCommand, Problem
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look


class NoPhone:
    """Answers every command with why there is none, which says what to do about it."""

    name = "none"
    simulated = False

    def __init__(self, why: str) -> None:
        self._why = why

    def phrase(self, command: PhoneCommand) -> str:
        return phrase(command, "plain")

    async def execute(self, command: PhoneCommand) -> None:  # noqa: ARG002  the port's name
        raise PhoneError(Problem.NOT_RUNNING, self._why)

    async def write(self, message: PhoneMessage) -> None:  # noqa: ARG002  the port's name
        raise PhoneError(Problem.NOT_RUNNING, self._why)

    async def status(self) -> Look:
        raise PhoneError(Problem.NOT_RUNNING, self._why)
