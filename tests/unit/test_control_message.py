"""A message that MicroSIP is handed to send: guarded, paced, never called delivered."""

import asyncio
from datetime import timedelta

import pytest

from gateway.errors import PhoneError
from gateway.phone import Problem
from gateway.phone_message import PhoneMessage
from tests.unit.phone_desk import AWAY, DIAL, HANGS, SAID_NO, Desk, ScriptedChannel, request

HELLO = PhoneMessage("1002", "hello")


async def test_a_message_is_sent_but_never_more_than_that(desk: Desk) -> None:
    channel = ScriptedChannel("Idle")

    said = await desk.control(channel).write(HELLO)

    assert said == "sent; MicroSIP does not report it"
    assert channel.executed == ["1002 hello"]


async def test_a_simulated_message_is_called_that(desk: Desk) -> None:
    channel = ScriptedChannel("Idle")
    channel.simulated = True

    assert (await desk.control(channel).write(HELLO)).endswith("; simulated")


@pytest.mark.parametrize("number", ["0044123", "+44123", "sip:1@evil.example"])
async def test_a_denied_number_is_not_written_to(desk: Desk, number: str) -> None:
    channel = ScriptedChannel("Idle")

    with pytest.raises(PhoneError) as refused:
        await desk.control(channel).write(PhoneMessage(number, "hello"))

    assert refused.value.problem == Problem.NOT_ALLOWED
    assert "[phone]" in refused.value.detail
    assert channel.executed == []


@pytest.mark.parametrize("error", [AWAY, HANGS, SAID_NO], ids=lambda error: error.problem)
async def test_what_microsip_did_not_take_is_told_and_not_tried_again(
    desk: Desk, error: PhoneError
) -> None:
    channel = ScriptedChannel("Idle", answer=error)

    with pytest.raises(PhoneError) as refused:
        await desk.control(channel).write(HELLO)

    assert refused.value is error
    assert channel.executed == ["1002 hello"]


async def test_a_message_keeps_the_distance_of_a_command(desk: Desk) -> None:
    control = desk.control(ScriptedChannel(None))
    await control.write(HELLO)

    await control.write(HELLO)

    assert desk.slept == [0.3]


async def test_a_message_waits_for_the_command_before_it(desk: Desk) -> None:
    desk.phone = desk.phone.model_copy(update={"command_spacing": timedelta(0)})
    channel = ScriptedChannel("Idle", "Dialing 1002")
    channel.gate.clear()
    control = desk.control(channel)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(control.execute(request(DIAL)))
        await channel.reached.wait()
        group.create_task(control.write(HELLO))
        channel.gate.set()

    assert channel.executed == ["Dial 1002", "1002 hello"]


async def test_each_message_has_a_line_in_the_log_without_its_text(desk: Desk) -> None:
    await desk.control(ScriptedChannel("Idle")).write(HELLO)
    with pytest.raises(PhoneError):
        await desk.control(ScriptedChannel("Idle", answer=AWAY)).write(HELLO)

    assert [line.partition("Z ")[2] for line in desk.lines()] == [
        "message 1002 unconfirmed",
        "message 1002 phone_not_running",
    ]
