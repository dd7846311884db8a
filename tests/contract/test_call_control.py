"""What CallControl promises, on every phone."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway.caller import Caller, Origin
from gateway.clock import now
from gateway.config import DatabaseSettings, Phone as PhoneSettings
from gateway.errors import PhoneError
from gateway.message import MessageId, uuid7
from gateway.metrics import Metrics
from gateway.microsip.api_log import FILE_NAME, ApiLog
from gateway.microsip.control import MicroSip
from gateway.microsip.reading import Reading
from gateway.microsip.status_words import StatusWords
from gateway.numbers import NumberRules
from gateway.phone import CommandOutcome, PhoneCommand, PhoneRequest, Problem, Verb
from gateway.phone_status import PhoneState
from gateway.ports import CallControl
from gateway.store.audit import SqlCommandLog
from gateway.store.database import Database
from tests.contract.phones import DESKS, Idle, Phone

CALLER = Caller(who="token:test", proof="bearer token", origin=Origin.REST)
DIAL = PhoneCommand(Verb.DIAL, ("1002",))
pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module", params=DESKS)
def kind(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="module")
def idle(kind: str) -> Iterator[Idle]:
    with DESKS[kind]() as stays:
        yield stays


@pytest.fixture
async def phone(idle: Idle) -> AsyncIterator[Phone]:
    async with idle() as opened:
        yield opened


@pytest.fixture
async def audit(tmp_path: Path) -> AsyncIterator[SqlCommandLog]:
    async with Database(settings=DatabaseSettings(), data_dir=tmp_path) as database:
        await database.prepare()
        yield SqlCommandLog(database=database, metrics=Metrics(CollectorRegistry()))


@pytest.fixture
def control(phone: Phone, audit: SqlCommandLog, tmp_path: Path) -> CallControl:
    return control_of(phone, audit, tmp_path)


def control_of(phone: Phone, audit: SqlCommandLog, folder: Path) -> CallControl:
    return MicroSip(
        reading=Reading(channel=phone.channel, words=StatusWords({}), clock=now),
        command_log=audit,
        rules=NumberRules(),
        phone=PhoneSettings(),
        api_log=ApiLog(folder),
        clock=now,
        sleep=asyncio.sleep,
    )


def asks(command: PhoneCommand, message_id: MessageId | None = None) -> PhoneRequest:
    return PhoneRequest(
        command=command, caller=CALLER, text=str(command), message_id=message_id
    )


async def test_a_call_is_made_then_ended(control: CallControl) -> None:
    dialled = await control.execute(asks(DIAL))
    ended = await control.execute(asks(PhoneCommand(Verb.HANGUP)))

    assert dialled.outcome is ended.outcome is CommandOutcome.CONFIRMED
    assert dialled.evidence.startswith(("idle -> dialing", "idle -> active"))
    assert ended.evidence in {"dialing -> idle", "active -> idle"}


async def test_a_call_is_held_then_resumed(phone: Phone, control: CallControl) -> None:
    phone.ring("1005")
    await control.execute(asks(PhoneCommand(Verb.ANSWER)))

    results = [await control.execute(asks(PhoneCommand(Verb.HOLD))) for _ in range(2)]

    assert [result.evidence for result in results] == ["active -> held", "held -> active"]


@pytest.mark.parametrize(
    ("verb", "evidence"),
    [(Verb.ANSWER, "ringing -> active"), (Verb.REJECT, "ringing -> idle")],
)
async def test_a_ringing_call_is_answered_or_rejected(
    phone: Phone, control: CallControl, verb: Verb, evidence: str
) -> None:
    phone.ring("1005")

    result = await control.execute(asks(PhoneCommand(verb)))

    assert (result.outcome, result.evidence) == (CommandOutcome.CONFIRMED, evidence)


@pytest.mark.parametrize("verb", [Verb.HANGUP, Verb.HOLD, Verb.ANSWER, Verb.REJECT])
async def test_an_idle_phone_is_not_sent_what_needs_a_call(
    control: CallControl, verb: Verb
) -> None:
    result = await control.execute(asks(PhoneCommand(verb)))

    assert (result.outcome, result.problem) == (CommandOutcome.FAILED, Problem.NO_CALL)


async def test_a_volume_is_confirmed_by_a_phone_that_shows_it_and_no_other(
    control: CallControl,
) -> None:
    result = await control.execute(asks(PhoneCommand(Verb.VOLUME, ("40",))))

    shown = (await control.status()).volume
    if shown is None:
        assert result.outcome is CommandOutcome.UNCONFIRMED
        assert result.detail == "sent; MicroSIP does not report it"
    else:
        assert result.outcome is CommandOutcome.CONFIRMED
        assert (shown.value, result.evidence) == (40, "53 -> 40")


async def test_a_message_runs_its_command_once(control: CallControl) -> None:
    message_id = MessageId(uuid7(now()))
    first = await control.execute(asks(DIAL, message_id))
    await control.execute(asks(PhoneCommand(Verb.HANGUP)))

    again = await control.execute(asks(DIAL, message_id))

    assert again.command_id == first.command_id
    assert (await control.status()).state is PhoneState.IDLE


async def test_a_denied_number_is_not_dialled(control: CallControl) -> None:
    result = await control.execute(asks(PhoneCommand(Verb.DIAL, ("0044123",))))

    assert result.problem is Problem.NOT_ALLOWED
    assert (await control.status()).state is PhoneState.IDLE


async def test_closing_is_confirmed_by_microsip_being_gone(
    kind: str, audit: SqlCommandLog, tmp_path: Path
) -> None:
    with DESKS[kind]() as fresh:
        async with fresh() as phone:
            control = control_of(phone, audit, tmp_path)
            closed = await control.execute(asks(PhoneCommand(Verb.CLOSE)))
            after = await control.execute(asks(DIAL))
            with pytest.raises(PhoneError):
                await control.status()

    assert closed.outcome is CommandOutcome.CONFIRMED
    assert (after.outcome, after.problem) == (CommandOutcome.FAILED, Problem.NOT_RUNNING)


async def test_each_command_is_in_the_audit_with_a_line_in_the_log(
    control: CallControl, audit: SqlCommandLog, tmp_path: Path
) -> None:
    result = await control.execute(asks(DIAL))

    (entry,) = await audit.commands(10)
    line = (tmp_path / FILE_NAME).read_text("utf-8")
    assert (entry.id, entry.outcome) == (result.command_id, CommandOutcome.CONFIRMED)
    assert " dial 1002 confirmed" in line
