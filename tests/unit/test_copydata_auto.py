"""How auto chooses between DDE and MicroSIP's window."""

import asyncio

import pytest

from gateway.errors import PhoneError
from gateway.microsip.automatic import AutomaticChannel
from gateway.phone import PhoneCommand, Problem, Verb
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look

DIAL = PhoneCommand(Verb.DIAL, ("1002",))
AWAY = PhoneError(Problem.NOT_RUNNING, "not running; start it")
HANGING = PhoneError(Problem.NOT_RESPONDING, "it may have done it")
BUSY = PhoneError(Problem.FAILED, "busy")


class PlayedChannel:
    """Does as it is told to: fail, or take everything."""

    simulated = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.failure: PhoneError | None = None
        self.of_execute: PhoneError | None = None
        self.silent = False
        self.questions = 0
        self.executed: list[PhoneCommand] = []
        self.written: list[PhoneMessage] = []

    def phrase(self, command: PhoneCommand) -> str:
        return f"{self.name} {command}"

    async def execute(self, command: PhoneCommand) -> None:
        self.executed.append(command)
        if error := self.of_execute or self.failure:
            raise error

    async def write(self, message: PhoneMessage) -> None:
        self.written.append(message)
        if self.failure:
            raise self.failure

    async def status(self) -> Look:
        self.questions += 1
        if self.silent:
            await asyncio.get_running_loop().create_future()
        if self.failure:
            raise self.failure
        return Look(words=self.name)


class Pair:
    """Both channels, with the one that chooses."""

    def __init__(self) -> None:
        self.dde, self.copydata = PlayedChannel("dde"), PlayedChannel("copydata")
        self.auto = AutomaticChannel(dde=self.dde, copydata=self.copydata, probe_timeout=0.05)


@pytest.fixture
def pair() -> Pair:
    return Pair()


async def test_dde_is_preferred(pair: Pair) -> None:
    words = (await pair.auto.status()).words
    await pair.auto.execute(DIAL)

    assert (words, pair.auto.name) == ("dde", "dde")
    assert pair.dde.executed == [DIAL]
    assert pair.copydata.questions == 0
    assert pair.auto.phrase(DIAL) == "dde dial 1002"


async def test_without_a_server_the_window_is_taken_and_dde_not_asked_again(pair: Pair) -> None:
    pair.dde.failure = AWAY

    await pair.auto.execute(DIAL)
    await pair.auto.execute(DIAL)
    await pair.auto.status()

    assert pair.auto.name == "copydata"
    assert pair.copydata.executed == [DIAL, DIAL]
    assert pair.dde.questions == 1
    assert pair.auto.phrase(DIAL) == "copydata dial 1002"


async def test_without_either_it_is_not_running(pair: Pair) -> None:
    pair.dde.failure = pair.copydata.failure = AWAY

    for action in (pair.auto.status, lambda: pair.auto.execute(DIAL)):
        with pytest.raises(PhoneError) as gone:
            await action()
        assert gone.value.problem == Problem.NOT_RUNNING

    assert pair.auto.name == "auto"
    assert pair.dde.executed == pair.copydata.executed == []


async def test_what_went_away_is_looked_for_on_both(pair: Pair) -> None:
    await pair.auto.execute(DIAL)

    pair.dde.failure = AWAY
    await pair.auto.execute(DIAL)
    pair.dde.failure, pair.copydata.failure = None, AWAY
    await pair.auto.execute(DIAL)

    assert pair.auto.name == "dde"
    assert pair.copydata.executed == [DIAL, DIAL]  # the second was not handed over
    assert pair.dde.executed == [DIAL, DIAL, DIAL]


@pytest.mark.parametrize("failure", [HANGING, BUSY], ids=["hanging", "busy"])
async def test_a_command_is_not_repeated_on_the_other_channel(
    pair: Pair, failure: PhoneError
) -> None:
    await pair.auto.status()
    pair.dde.of_execute = failure

    with pytest.raises(PhoneError) as of_dde:
        await pair.auto.execute(DIAL)

    assert of_dde.value is failure
    assert pair.copydata.executed == []


@pytest.mark.parametrize("silent", [True, False], ids=["unanswered", "hanging"])
async def test_where_dde_hangs_the_window_does_for_once(pair: Pair, *, silent: bool) -> None:
    pair.dde.silent = silent
    pair.dde.failure = None if silent else HANGING

    await pair.auto.execute(DIAL)
    name_meanwhile = pair.auto.name
    pair.dde.silent, pair.dde.failure = False, None
    await pair.auto.execute(DIAL)

    assert pair.copydata.executed == [DIAL]
    assert name_meanwhile == "auto"
    assert pair.dde.executed == [DIAL]


async def test_where_dde_hangs_and_no_window_is_there_it_does_not_respond(pair: Pair) -> None:
    pair.dde.failure, pair.copydata.failure = HANGING, AWAY

    with pytest.raises(PhoneError) as unsure:
        await pair.auto.execute(DIAL)

    assert unsure.value.problem == Problem.NOT_RESPONDING
    assert pair.dde.executed == []


async def test_a_window_that_takes_nothing_yet_is_the_one(pair: Pair) -> None:
    pair.dde.failure, pair.copydata.failure = AWAY, BUSY

    with pytest.raises(PhoneError) as starting:
        await pair.auto.status()

    assert starting.value is BUSY
    assert pair.auto.name == "copydata"


async def test_a_message_goes_by_the_chosen_channel(pair: Pair) -> None:
    pair.dde.failure = AWAY

    await pair.auto.write(PhoneMessage("1002", "hello"))

    assert pair.copydata.written == [PhoneMessage("1002", "hello")]
    assert pair.dde.written == []
