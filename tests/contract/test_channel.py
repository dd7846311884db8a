"""What every Channel promises."""

from collections.abc import AsyncIterator

import pytest

from gateway.errors import PhoneError
from gateway.microsip.status_words import StatusWords, most_specific
from gateway.phone import PhoneCommand, Problem, Verb
from gateway.phone_status import CALL_UP, PhoneState
from tests.contract.phones import PHONES, Phone

DIAL = PhoneCommand(Verb.DIAL, ("1002",))
HANGUP = PhoneCommand(Verb.HANGUP)
pytestmark = pytest.mark.timeout(60)


@pytest.fixture(params=PHONES)
async def phone(request: pytest.FixtureRequest) -> AsyncIterator[Phone]:
    async with PHONES[request.param]() as opened:
        yield opened


async def state(phone: Phone) -> PhoneState:
    return most_specific(StatusWords({}).states((await phone.channel.status()).words or ""))


async def test_it_has_a_name(phone: Phone) -> None:
    assert phone.channel.name in PHONES
    assert phone.channel.simulated == (phone.channel.name == "simulated")


async def test_it_shows_the_string_it_sends(phone: Phone) -> None:
    assert phone.channel.phrase(DIAL) == "Dial 1002"


async def test_what_microsip_took_shows_in_its_words(phone: Phone) -> None:
    before = await state(phone)
    await phone.channel.execute(DIAL)
    dialled, look = await state(phone), await phone.channel.status()
    await phone.channel.execute(HANGUP)
    after = await state(phone)

    assert (before, after) == (PhoneState.IDLE, PhoneState.IDLE)
    assert dialled in CALL_UP
    assert "1002" in (look.words or "")


async def test_a_ringing_phone_can_be_answered(phone: Phone) -> None:
    phone.ring("1005")
    before = await state(phone)

    await phone.channel.execute(PhoneCommand(Verb.ANSWER))

    assert (before, await state(phone)) == (PhoneState.RINGING, PhoneState.ACTIVE)


async def test_what_microsip_refuses_is_an_error_and_was_not_done(phone: Phone) -> None:
    with pytest.raises(PhoneError) as refused:
        await phone.channel.execute(HANGUP)

    assert refused.value.problem == Problem.FAILED
    assert await state(phone) is PhoneState.IDLE


async def test_a_closed_microsip_is_not_running(phone: Phone) -> None:
    await phone.channel.execute(PhoneCommand(Verb.CLOSE))

    with pytest.raises(PhoneError) as of_status:
        await phone.channel.status()
    with pytest.raises(PhoneError) as of_command:
        await phone.channel.execute(DIAL)

    assert of_status.value.problem == of_command.value.problem == Problem.NOT_RUNNING
    assert of_status.value.detail
