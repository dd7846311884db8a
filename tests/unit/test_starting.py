"""Which commands start a MicroSIP that is not running."""

import pytest

from gateway.errors import PhoneError
from gateway.microsip.process import Answers
from gateway.microsip.starting import NO_CALL, StartingChannel
from gateway.phone import PhoneCommand, Problem, Verb
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look

START = {
    Verb.DIAL: ("1002",),
    Verb.CALLTO: ("1002",),
    Verb.MUTE: (),
    Verb.VOLUP: ("3",),
    Verb.VOLDOWN: ("3",),
    Verb.VOLUME: ("40",),
    Verb.MICVOLUME: ("40",),
    Verb.DEVICE: ("input", "3"),
}
DIAL = PhoneCommand(Verb.DIAL, ("1002",))
AWAY = PhoneError(Problem.NOT_RUNNING, "not running; start it")


class Inner:
    """A channel to a MicroSIP that runs once it was started."""

    name = "copydata"
    simulated = False

    def __init__(self) -> None:
        self.failure: PhoneError | None = AWAY
        self.executed: list[PhoneCommand] = []
        self.written: list[PhoneMessage] = []
        self.starts = 0

    def phrase(self, command: PhoneCommand) -> str:
        return f"by window: {command}"

    async def execute(self, command: PhoneCommand) -> None:
        if self.failure:
            raise self.failure
        self.executed.append(command)

    async def write(self, message: PhoneMessage) -> None:
        if self.failure:
            raise self.failure
        self.written.append(message)

    async def status(self) -> Look:
        if self.failure:
            raise self.failure
        return Look(words="Idle")

    async def start(self, answers: Answers) -> None:
        self.starts += 1
        self.failure = None
        await answers()


@pytest.fixture
def inner() -> Inner:
    return Inner()


@pytest.fixture
def channel(inner: Inner) -> StartingChannel:
    return StartingChannel(inner=inner, start=inner.start)


@pytest.mark.parametrize(("verb", "arguments"), START.items())
async def test_what_needs_no_call_starts_it_and_is_carried_out(
    channel: StartingChannel, inner: Inner, verb: Verb, arguments: tuple[str, ...]
) -> None:
    command = PhoneCommand(verb, arguments)

    await channel.execute(command)

    assert (inner.starts, inner.executed) == (1, [command])


@pytest.mark.parametrize("verb", set(Verb) - set(START) - {Verb.CLOSE, Verb.STATUS})
async def test_what_needs_a_call_says_that_there_is_none(
    channel: StartingChannel, inner: Inner, verb: Verb
) -> None:
    with pytest.raises(PhoneError) as refused:
        await channel.execute(PhoneCommand(verb))

    assert (refused.value.problem, refused.value.detail) == (Problem.NOT_RUNNING, NO_CALL)
    assert inner.starts == 0


async def test_close_and_status_start_nothing(channel: StartingChannel, inner: Inner) -> None:
    for action in (channel.status, lambda: channel.execute(PhoneCommand(Verb.CLOSE))):
        with pytest.raises(PhoneError) as away:
            await action()
        assert away.value is AWAY

    assert inner.starts == 0


async def test_one_that_runs_is_not_started(channel: StartingChannel, inner: Inner) -> None:
    inner.failure = None

    await channel.execute(DIAL)
    look = await channel.status()

    assert (inner.starts, inner.executed) == (0, [DIAL])
    assert look == Look(words="Idle")
    assert (channel.name, channel.simulated) == ("copydata", False)
    assert channel.phrase(DIAL) == "by window: dial 1002"


@pytest.mark.parametrize("problem", [Problem.FAILED, Problem.NOT_RESPONDING])
async def test_one_that_fails_is_not_started(
    channel: StartingChannel, inner: Inner, problem: Problem
) -> None:
    inner.failure = PhoneError(problem, "it hangs")

    with pytest.raises(PhoneError) as failed:
        await channel.execute(DIAL)

    assert failed.value is inner.failure
    assert inner.starts == 0


async def test_a_message_starts_nothing(inner: Inner, channel: StartingChannel) -> None:
    with pytest.raises(PhoneError) as refused:
        await channel.write(PhoneMessage("1002", "hello"))

    assert (refused.value.problem, inner.starts) == (Problem.NOT_RUNNING, 0)


async def test_a_message_goes_to_a_microsip_that_runs(
    inner: Inner, channel: StartingChannel
) -> None:
    inner.failure = None

    await channel.write(PhoneMessage("1002", "hello"))

    assert inner.written == [PhoneMessage("1002", "hello")]
