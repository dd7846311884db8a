"""What every Channel promises."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.errors import PhoneError
from gateway.microsip.status_words import StatusWords, most_specific
from gateway.phone import PhoneCommand, Problem, Verb
from gateway.phone_status import CALL_UP, Look, PhoneState
from tests.contract.phones import DESKS, HANGUP, Idle, Phone

DIAL = PhoneCommand(Verb.DIAL, ("1002",))
LOOK_EVERY = 0.02
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
async def own_phone(kind: str) -> AsyncIterator[Phone]:
    """One that may be closed."""
    with DESKS[kind]() as fresh:
        async with fresh() as opened:
            yield opened


def state(look: Look) -> PhoneState:
    return most_specific(look.states or StatusWords({}).states(look.words or ""))


async def looks_until(phone: Phone, *wanted: PhoneState) -> Look:
    """The first look that shows one of *wanted*; none of the channels tells by itself."""
    async with asyncio.timeout(10):
        while True:
            look = await phone.channel.status()
            if state(look) in wanted:
                return look
            await asyncio.sleep(LOOK_EVERY)


async def is_gone(phone: Phone) -> PhoneError:
    """A MicroSIP that ends just while it is asked does not respond: that passes."""
    async with asyncio.timeout(10):
        while True:
            try:
                await phone.channel.status()
            except PhoneError as exc:
                if exc.problem != Problem.NOT_RESPONDING:
                    return exc
            await asyncio.sleep(LOOK_EVERY)


async def test_it_has_a_name(phone: Phone, kind: str) -> None:
    assert phone.channel.name == kind
    assert phone.channel.simulated == (kind == "simulated")


async def test_it_shows_the_string_it_sends(phone: Phone) -> None:
    assert "1002" in phone.channel.phrase(DIAL)


async def test_what_microsip_took_shows(phone: Phone) -> None:
    before = state(await phone.channel.status())
    await phone.channel.execute(DIAL)
    dialled = await looks_until(phone, *CALL_UP)
    await phone.channel.execute(HANGUP)
    after = await looks_until(phone, PhoneState.IDLE)

    assert before is PhoneState.IDLE
    assert "1002" in (dialled.words or dialled.number or "")
    assert "1002" not in (after.words or after.number or "")


async def test_a_ringing_phone_can_be_answered(phone: Phone) -> None:
    phone.ring("1005")
    ringing = await phone.channel.status()

    await phone.channel.execute(PhoneCommand(Verb.ANSWER))
    answered = await looks_until(phone, PhoneState.ACTIVE)

    assert state(ringing) is PhoneState.RINGING
    assert "1005" in (ringing.words or ringing.peer or "")
    assert "1005" in (answered.words or answered.number or "")


async def test_what_microsip_refuses_is_an_error_and_was_not_done(phone: Phone) -> None:
    before = await phone.channel.status()

    with pytest.raises(PhoneError) as refused:
        await phone.channel.execute(phone.refused)

    assert refused.value.problem == Problem.FAILED
    assert await phone.channel.status() == before


async def test_a_closed_microsip_is_not_running(own_phone: Phone) -> None:
    await own_phone.channel.execute(PhoneCommand(Verb.CLOSE))

    of_status = await is_gone(own_phone)
    with pytest.raises(PhoneError) as of_command:
        await own_phone.channel.execute(DIAL)

    assert of_status.problem == of_command.value.problem == Problem.NOT_RUNNING
    assert of_status.detail
