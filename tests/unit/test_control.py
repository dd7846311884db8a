"""Control of MicroSIP: paced, one at a time, judged by what is seen."""

import asyncio
from datetime import timedelta

import pytest

from gateway.errors import PhoneError
from gateway.phone import (
    CommandOutcome,
    PhoneCommand,
    Problem,
    Verb,
)
from gateway.phone_status import Look, PhoneState
from tests.unit.phone_desk import (
    AWAY,
    DIAL,
    HANGS,
    HANGUP,
    SAID_NO,
    STATUS,
    Desk,
    Said,
    ScriptedChannel,
    request,
)


async def test_a_command_is_confirmed_once_the_effect_shows(desk: Desk) -> None:
    channel = ScriptedChannel("Idle", "Idle", "Idle", "Dialing 1002")

    result = await desk.run(channel, DIAL)

    assert result.outcome is CommandOutcome.CONFIRMED
    assert result.evidence == "idle -> dialing"
    assert channel.executed == ["Dial 1002"]
    assert desk.slept == [0.1, 0.1]
    assert result.elapsed_ms == 200
    assert result.status is not None
    assert (result.status.state, result.status.raw) == (PhoneState.DIALING, "Dialing 1002")


async def test_a_command_without_visible_effect_is_unconfirmed_after_1500_ms(
    desk: Desk,
) -> None:
    result = await desk.run(ScriptedChannel("Idle"), DIAL)

    assert result.outcome is CommandOutcome.UNCONFIRMED
    assert result.problem is Problem.NONE
    assert result.elapsed_ms == 1500
    assert result.detail == "sent; MicroSIP still says 'Idle': look at the phone"


async def test_what_microsip_does_not_report_is_not_waited_for(desk: Desk) -> None:
    volume = PhoneCommand(Verb.VOLUME, ("40",))

    result = await desk.run(ScriptedChannel("In call 1002"), volume)

    assert result.outcome is CommandOutcome.UNCONFIRMED
    assert result.detail == "sent; MicroSIP does not report it"
    assert not desk.slept


async def test_a_level_that_is_set_already_is_confirmed_without_a_string(desk: Desk) -> None:
    channel = ScriptedChannel(Look(volume=40))

    result = await desk.run(channel, PhoneCommand(Verb.VOLUME, ("40",)))

    assert channel.executed == []
    assert (result.outcome, result.evidence) == (CommandOutcome.CONFIRMED, "already 40")


async def test_a_slider_is_waited_for_until_it_stands_where_it_should(desk: Desk) -> None:
    channel = ScriptedChannel(Look(volume=50), Look(volume=45), Look(volume=40))

    result = await desk.run(channel, PhoneCommand(Verb.VOLUME, ("40",)))

    assert (result.outcome, result.evidence) == (CommandOutcome.CONFIRMED, "50 -> 40")
    assert desk.slept == [0.1]


async def test_a_window_that_shows_nothing_for_once_is_looked_at_again(desk: Desk) -> None:
    active, held = (
        Look(states=frozenset({state})) for state in (PhoneState.ACTIVE, PhoneState.HELD)
    )

    result = await desk.run(ScriptedChannel(active, Look(), held), PhoneCommand(Verb.HOLD))

    assert (result.outcome, result.evidence) == (CommandOutcome.CONFIRMED, "active -> held")


async def test_without_any_status_a_command_is_sent_but_unconfirmed(desk: Desk) -> None:
    channel = ScriptedChannel(None)

    result = await desk.run(channel, HANGUP)

    assert channel.executed == ["Hangup"]
    assert result.outcome is CommandOutcome.UNCONFIRMED
    assert "does not report its state" in result.detail


async def test_a_state_that_forbids_the_command_sends_nothing(desk: Desk) -> None:
    channel = ScriptedChannel("Idle")

    result = await desk.run(channel, HANGUP)

    assert channel.executed == []
    assert (result.outcome, result.problem) == (CommandOutcome.FAILED, Problem.NO_CALL)
    assert result.detail == "no call is up; dial first"


BEFORE = [
    pytest.param(HANGS, Problem.NOT_RESPONDING, id="hangs"),
    pytest.param(SAID_NO, Problem.FAILED, id="fails"),
]


@pytest.mark.parametrize(("error", "problem"), BEFORE)
async def test_a_microsip_that_cannot_be_asked_is_sent_nothing(
    desk: Desk, error: PhoneError, problem: Problem
) -> None:
    channel = ScriptedChannel(error)

    result = await desk.run(channel, DIAL)

    assert channel.executed == []
    assert (result.outcome, result.problem) == (CommandOutcome.FAILED, problem)
    assert result.detail == error.detail


async def test_one_that_does_not_run_is_left_to_the_channel_to_start(desk: Desk) -> None:
    starts, cannot = ScriptedChannel(AWAY, "Calling 1002"), ScriptedChannel(AWAY, answer=AWAY)

    started = await desk.run(starts, DIAL)
    refused = await desk.run(cannot, DIAL)

    assert (started.outcome, started.evidence) == (CommandOutcome.CONFIRMED, "Calling 1002")
    assert (refused.outcome, refused.problem) == (CommandOutcome.FAILED, Problem.NOT_RUNNING)
    assert refused.detail == AWAY.detail


async def test_one_that_does_not_run_has_no_call_to_command(desk: Desk) -> None:
    channel = ScriptedChannel(AWAY)

    result = await desk.run(channel, HANGUP)

    assert channel.executed == []
    assert (result.outcome, result.problem) == (CommandOutcome.FAILED, Problem.NOT_RUNNING)
    assert result.detail == f"no call: {AWAY.detail}"


@pytest.mark.parametrize("error", [AWAY, SAID_NO], ids=["away", "said no"])
async def test_a_refused_command_has_failed(desk: Desk, error: PhoneError) -> None:
    channel = ScriptedChannel("Idle", answer=error)

    result = await desk.run(channel, DIAL)

    assert (result.outcome, result.problem) == (CommandOutcome.FAILED, error.problem)
    assert channel.looks == 1


async def test_a_timed_out_command_is_confirmed_when_status_shows_it(desk: Desk) -> None:
    channel = ScriptedChannel("Idle", HANGS, "In call 1002", answer=HANGS)

    result = await desk.run(channel, DIAL)

    assert (result.outcome, result.problem) == (CommandOutcome.CONFIRMED, Problem.NONE)
    assert result.evidence == "idle -> active"
    assert channel.executed == ["Dial 1002"]


@pytest.mark.parametrize("after", ["Idle", None, HANGS, AWAY], ids=str)
async def test_a_timed_out_command_is_in_doubt_when_status_does_not_decide(
    desk: Desk, after: Said
) -> None:
    channel = ScriptedChannel("Idle", after, answer=HANGS)

    result = await desk.run(channel, DIAL)

    assert result.outcome is CommandOutcome.UNCONFIRMED
    assert result.problem is Problem.NOT_RESPONDING
    assert channel.executed == ["Dial 1002"]


AFTER = [
    pytest.param(AWAY, "then MicroSIP ended", id="ended"),
    pytest.param(HANGS, "then MicroSIP stopped responding", id="hangs"),
]


@pytest.mark.parametrize(("after", "words"), AFTER)
async def test_a_microsip_lost_after_a_command_leaves_it_unconfirmed(
    desk: Desk, after: PhoneError, words: str
) -> None:
    result = await desk.run(ScriptedChannel("Idle", after), DIAL)

    assert result.outcome is CommandOutcome.UNCONFIRMED
    assert words in result.detail
    assert result.status is None


@pytest.mark.parametrize("answer", [None, HANGS], ids=["answered", "timed out"])
async def test_closing_is_confirmed_by_microsip_being_gone(
    desk: Desk, answer: PhoneError | None
) -> None:
    channel = ScriptedChannel("Idle", "Idle", AWAY, answer=answer)

    result = await desk.run(channel, PhoneCommand(Verb.CLOSE))

    assert result.outcome is CommandOutcome.CONFIRMED
    assert result.evidence == "MicroSIP is gone"


async def test_commands_keep_the_configured_distance(desk: Desk) -> None:
    control = desk.control(ScriptedChannel(None))

    await control.execute(request(HANGUP))
    desk.clock.advance(timedelta(milliseconds=100))
    await control.execute(request(HANGUP))

    assert desk.slept == [pytest.approx(0.2)]


async def test_a_clock_set_back_does_not_hold_up_a_command(desk: Desk) -> None:
    control = desk.control(ScriptedChannel(None))

    await control.execute(request(HANGUP))
    desk.clock.advance(timedelta(days=-1))
    await control.execute(request(HANGUP))

    assert desk.slept == [0.3]


async def test_reading_status_keeps_no_distance(desk: Desk) -> None:
    control = desk.control(ScriptedChannel(None))

    await control.execute(request(HANGUP))
    await control.execute(request(STATUS))

    assert desk.slept == []


async def test_one_command_at_a_time_is_handed_over(desk: Desk) -> None:
    channel = ScriptedChannel(None)
    channel.gate.clear()
    control = desk.control(channel)

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(control.execute(request(DIAL)))
        second = tasks.create_task(control.execute(request(HANGUP)))
        await channel.reached.wait()
        status = await control.execute(request(STATUS))
        handed_over = list(channel.executed)
        channel.gate.set()

    assert status.outcome is CommandOutcome.CONFIRMED
    assert handed_over == ["Dial 1002"]
    assert channel.executed == ["Dial 1002", "Hangup"]
    assert first.result().outcome is second.result().outcome is CommandOutcome.UNCONFIRMED
