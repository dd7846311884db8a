"""A desk to command a scripted MicroSIP from."""

import asyncio
from collections import deque
from datetime import timedelta
from pathlib import Path

from gateway.caller import Caller, Origin
from gateway.config import Phone
from gateway.errors import PhoneError, StorageUnavailable
from gateway.message import MessageId
from gateway.microsip.api_log import FILE_NAME, ApiLog
from gateway.microsip.control import MicroSip
from gateway.microsip.message_string import message_string
from gateway.microsip.phrase import phrase
from gateway.microsip.reading import Reading
from gateway.microsip.status_words import StatusWords
from gateway.numbers import NumberRules
from gateway.phone import (
    CommandEntry,
    CommandResult,
    PhoneCommand,
    PhoneRequest,
    Problem,
    Verb,
)
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look
from gateway.store.audit import SqlCommandLog
from tests.fakes import FakeClock

CALLER = Caller(who="sip:101@office.example", proof="contact parameter", origin=Origin.SIP)
DIAL = PhoneCommand(Verb.DIAL, ("1002",))
HANGUP = PhoneCommand(Verb.HANGUP)
STATUS = PhoneCommand(Verb.STATUS)
AWAY = PhoneError(Problem.NOT_RUNNING, "MicroSIP is not running; start it")
HANGS = PhoneError(Problem.NOT_RESPONDING, "MicroSIP does not respond; look at the phone")
SAID_NO = PhoneError(Problem.FAILED, "MicroSIP refused it; try again")

Said = str | None | Look | PhoneError


class ScriptedChannel:
    """Says the *statuses* one after the other, the last one for ever."""

    name = "scripted"
    simulated = False

    def __init__(self, *statuses: Said, answer: PhoneError | None = None) -> None:
        self.executed: list[str] = []
        self.looks = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.reached = asyncio.Event()
        self._statuses = deque(statuses)
        self._answer = answer

    def phrase(self, command: PhoneCommand) -> str:
        return phrase(command, "plain")

    async def execute(self, command: PhoneCommand) -> None:
        self.executed.append(self.phrase(command))
        self.reached.set()
        await self.gate.wait()
        if self._answer:
            raise self._answer

    async def write(self, message: PhoneMessage) -> None:
        self.executed.append(message_string(message))
        self.reached.set()
        await self.gate.wait()
        if self._answer:
            raise self._answer

    async def status(self) -> Look:
        self.looks += 1
        said = self._statuses.popleft() if len(self._statuses) > 1 else self._statuses[0]
        if isinstance(said, PhoneError):
            raise said
        return said if isinstance(said, Look) else Look(words=said)


class LogLostAtTheEnd(SqlCommandLog):
    """The database goes away while the phone is commanded."""

    async def finish(self, entry: CommandEntry) -> None:
        raise StorageUnavailable(f"database: gone before {entry.id}")


class Desk:
    """Builds controls that share an audit, a log file, a clock."""

    def __init__(self, command_log: SqlCommandLog, data_dir: Path) -> None:
        self.clock = FakeClock()
        self.slept: list[float] = []
        self.audit = command_log
        self.phone = Phone()
        self._data_dir = data_dir

    def control(self, channel: ScriptedChannel) -> MicroSip:
        return MicroSip(
            reading=Reading(
                channel=channel,
                words=StatusWords(self.phone.dde.status_words),
                clock=self.clock,
            ),
            command_log=self.audit,
            rules=NumberRules(),
            phone=self.phone,
            api_log=ApiLog(self._data_dir),
            clock=self.clock,
            sleep=self._sleep,
        )

    async def run(self, channel: ScriptedChannel, command: PhoneCommand) -> CommandResult:
        return await self.control(channel).execute(request(command))

    def lines(self) -> list[str]:
        return (self._data_dir / FILE_NAME).read_text("utf-8").splitlines()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))


def request(command: PhoneCommand, message_id: MessageId | None = None) -> PhoneRequest:
    return PhoneRequest(
        command=command, caller=CALLER, text=str(command), message_id=message_id
    )
