"""A denied number, from what is written to what reaches MicroSIP and the audit."""

import asyncio
from datetime import datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings, strategies as st

from gateway.caller import Caller, Origin, Permission
from gateway.chat.assembly import ChatPorts, ChatSettings, chat_router
from gateway.config import Chat, Phone
from gateway.microsip.api_log import ApiLog
from gateway.microsip.control import MicroSip
from gateway.microsip.reading import Reading
from gateway.microsip.status_words import StatusWords
from gateway.numbers import NumberRules
from gateway.phone import CommandEntry, CommandOutcome, CommandState, PhoneCommand
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look
from tests.unit.call_fakes import FakeCallLog
from tests.unit.chat_bench import BERLIN
from tests.unit.chat_fakes import FakeArchive, FakeClock, FakeCommandLog, FakeSubmitter
from tests.unit.disguises import DENIED, disguised_numbers

TOKEN = Caller(
    who="token:crm",
    proof="bearer token",
    origin=Origin.REST,
    permissions=frozenset({Permission.PHONE_CONTROL}),
)


class RecordingChannel:
    """Takes everything."""

    name = "recording"
    simulated = False

    def __init__(self) -> None:
        self.executed: list[PhoneCommand] = []
        self.written: list[PhoneMessage] = []

    def phrase(self, command: PhoneCommand) -> str:
        return str(command)

    async def execute(self, command: PhoneCommand) -> None:
        self.executed.append(command)

    async def write(self, message: PhoneMessage) -> None:
        self.written.append(message)

    async def status(self) -> Look:
        return Look(words="In call")


class QuietLog(FakeCommandLog):
    """Nobody has dialled in the past hour."""

    async def dialled_since(self, since: datetime, *, who: str | None = None) -> int:
        return 0


async def _at_once(_: float) -> None: ...


async def written(line: str, data_dir: Path) -> tuple[list[PhoneCommand], list[CommandEntry]]:
    """What reached MicroSIP of *line*, and the audit of it."""
    channel, audit, clock = RecordingChannel(), QuietLog(), FakeClock()
    phone = MicroSip(
        reading=Reading(channel=channel, words=StatusWords({}), clock=clock),
        command_log=audit,
        rules=NumberRules(deny=DENIED, domains=frozenset({"office.example"})),
        phone=Phone(),
        api_log=ApiLog(data_dir),
        clock=clock,
        sleep=_at_once,
    )
    router = chat_router(
        ChatPorts(
            call_control=phone,
            archive=FakeArchive(),
            call_log=FakeCallLog(),
            submitter=FakeSubmitter(),
            audit=audit,
            clock=clock,
            timezone=BERLIN,
        ),
        ChatSettings(
            chat=Chat(), sender_commands="", own_aors=frozenset(), version="1", plugins=()
        ),
    )
    await router.command(line, TOKEN)
    return channel.executed, [*audit.entries.values()]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(
    verb=st.sampled_from(["dial", "CallTo", "transfer"]),
    number=disguised_numbers(),
    quoted=st.booleans(),
)
def test_no_disguise_reaches_microsip_and_each_refusal_is_in_the_audit(
    tmp_path: Path, verb: str, number: str, *, quoted: bool
) -> None:
    line = f'{verb} "{number}"' if quoted else f"{verb} {number}"

    executed, audit = asyncio.run(written(line, tmp_path))

    assert executed == []
    (entry,) = audit
    assert (entry.who, entry.verb) == ("token:crm", verb.lower())
    assert entry.state is CommandState.DONE
    assert entry.outcome in {CommandOutcome.REFUSED, CommandOutcome.FAILED}
    assert entry.detail


def test_a_number_that_is_not_denied_reaches_microsip(tmp_path: Path) -> None:
    executed, audit = asyncio.run(written('dial "030 - 12 3"', tmp_path))

    assert [str(command) for command in executed] == ["dial 030123"]
    assert len(audit) == 1
