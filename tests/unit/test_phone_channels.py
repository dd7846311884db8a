"""Which channel is taken."""

import sys
from typing import Literal

import pytest

from gateway.config import Phone
from gateway.errors import PhoneError
from gateway.microsip.channels import choose_channel
from gateway.phone import PhoneCommand, Problem, Verb
from tests.fakes import FakeClock

Driver = Literal["auto", "dde", "copydata", "simulated", "none"]
WITHOUT = [pytest.param("none", "set [phone] driver to auto", id="none")]
if sys.platform != "win32":
    WITHOUT += [
        pytest.param("auto", "run the gateway on the Windows PC", id="auto"),
        pytest.param("dde", "run the gateway on the Windows PC", id="dde"),
        pytest.param("copydata", "run the gateway on the Windows PC", id="copydata"),
    ]


@pytest.mark.parametrize(("driver", "remedy"), WITHOUT)
async def test_without_a_microsip_every_command_says_what_to_do(
    driver: Driver, remedy: str
) -> None:
    async with choose_channel(Phone(driver=driver), demo=False, clock=FakeClock()) as channel:
        with pytest.raises(PhoneError) as of_status:
            await channel.status()
        with pytest.raises(PhoneError) as of_command:
            await channel.execute(PhoneCommand(Verb.HANGUP))

    assert remedy in of_status.value.detail
    assert remedy in of_command.value.detail
    assert of_command.value.problem == Problem.NOT_RUNNING
    assert channel.phrase(PhoneCommand(Verb.HANGUP)) == "Hangup"


@pytest.mark.parametrize(("driver", "demo"), [("auto", True), ("simulated", False)])
async def test_a_simulated_one_is_there_when_asked_for(driver: Driver, *, demo: bool) -> None:
    async with choose_channel(Phone(driver=driver), demo=demo, clock=FakeClock()) as channel:
        status = (await channel.status()).words

    assert channel.simulated
    assert status == "Idle"


@pytest.mark.parametrize("driver", ["auto", "dde", "copydata"])
async def test_what_is_asked_for_is_taken_where_there_is_windows(driver: Driver) -> None:
    async with choose_channel(Phone(driver=driver), demo=False, clock=FakeClock()) as channel:
        name = channel.name

    assert name == (driver if sys.platform == "win32" else "none")
