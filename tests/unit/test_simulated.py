"""The simulated MicroSIP's call."""

from datetime import timedelta

import pytest

from gateway.call import CallEvent, CallEventKind
from gateway.errors import PhoneError
from gateway.microsip.simulated import SimulatedChannel
from gateway.phone import PhoneCommand, Problem, Verb
from gateway.phone_message import PhoneMessage
from tests.fakes import FakeClock

DIAL = PhoneCommand(Verb.DIAL, ("1002",))


async def test_who_is_dialled_picks_up_after_a_second() -> None:
    clock = FakeClock()
    phone = SimulatedChannel(clock=clock)

    await phone.execute(DIAL)
    before = (await phone.status()).words
    clock.advance(timedelta(seconds=1))
    after = (await phone.status()).words

    assert (before, after) == ("Dialing 1002", "In call 1002")


@pytest.mark.parametrize(
    ("verbs", "status"),
    [
        pytest.param([Verb.ANSWER], "In call 1005", id="answer"),
        pytest.param([Verb.REJECT], "Idle", id="reject"),
        pytest.param([Verb.ANSWER, Verb.HOLD], "On hold 1005", id="hold"),
        pytest.param([Verb.ANSWER, Verb.HOLD, Verb.HOLD], "In call 1005", id="hold twice"),
        pytest.param([Verb.ANSWER, Verb.HANGUP], "Idle", id="hangup"),
        pytest.param([Verb.ANSWER, Verb.MUTE], "In call 1005", id="mute"),
    ],
)
async def test_a_ringing_call_goes_its_way(verbs: list[Verb], status: str) -> None:
    phone = SimulatedChannel(clock=FakeClock())
    phone.ring("1005")

    for verb in verbs:
        await phone.execute(PhoneCommand(verb))

    assert (await phone.status()).words == status


async def test_a_transfer_ends_the_call_here() -> None:
    phone = SimulatedChannel(clock=FakeClock())
    await phone.execute(DIAL)

    await phone.execute(PhoneCommand(Verb.TRANSFER, ("1003",)))

    assert (await phone.status()).words == "Idle"


async def test_digits_leave_the_call_as_it_is() -> None:
    phone = SimulatedChannel(clock=FakeClock())
    await phone.execute(DIAL)

    await phone.execute(PhoneCommand(Verb.DTMF, ("1",)))

    assert (await phone.status()).words == "Dialing 1002"


@pytest.mark.parametrize(
    "command",
    [
        PhoneCommand(Verb.HANGUP),
        PhoneCommand(Verb.ANSWER),
        PhoneCommand(Verb.REJECT),
        PhoneCommand(Verb.HOLD),
        PhoneCommand(Verb.TRANSFER, ("1003",)),
        PhoneCommand(Verb.DTMF, ("1",)),
    ],
    ids=str,
)
async def test_what_does_not_fit_an_idle_phone_is_refused(command: PhoneCommand) -> None:
    phone = SimulatedChannel(clock=FakeClock())

    with pytest.raises(PhoneError) as refused:
        await phone.execute(command)

    assert refused.value.problem == Problem.FAILED


async def test_a_closed_one_is_not_running() -> None:
    phone = SimulatedChannel(clock=FakeClock())
    await phone.execute(PhoneCommand(Verb.CLOSE))

    with pytest.raises(PhoneError) as closed:
        await phone.status()

    assert closed.value.problem == Problem.NOT_RUNNING
    assert "restart the gateway" in closed.value.detail


async def test_a_message_is_kept_and_leaves_nowhere() -> None:
    phone = SimulatedChannel(clock=FakeClock())

    await phone.write(PhoneMessage("1002", "hello"))

    assert phone.written == [PhoneMessage("1002", "hello")]
    assert (await phone.status()).words == "Idle"


async def test_a_closed_one_takes_no_message() -> None:
    phone = SimulatedChannel(clock=FakeClock())
    await phone.execute(PhoneCommand(Verb.CLOSE))

    with pytest.raises(PhoneError) as closed:
        await phone.write(PhoneMessage("1002", "hello"))

    assert closed.value.problem == Problem.NOT_RUNNING


def test_it_says_that_it_is_simulated() -> None:
    assert SimulatedChannel(clock=FakeClock()).simulated


async def test_it_tells_what_event_hooks_would_tell() -> None:
    clock, told = FakeClock(), list[CallEvent]()
    phone = SimulatedChannel(clock=clock, tell=told.append)

    await phone.execute(PhoneCommand(Verb.DIAL, ("sip:1002@office.example",)))
    clock.advance(timedelta(seconds=1))
    await phone.execute(PhoneCommand(Verb.HOLD))
    await phone.execute(PhoneCommand(Verb.HANGUP))
    phone.ring("1005")
    await phone.execute(PhoneCommand(Verb.ANSWER))
    await phone.execute(DIAL)
    await phone.execute(PhoneCommand(Verb.CLOSE))

    assert [f"{event.kind} {event.user}" for event in told] == [
        "outgoing 1002",
        "start 1002",
        "end 1002",
        "answer 1005",
        "start 1005",
        "end 1005",
        "outgoing 1002",
        "end 1002",
    ]
    assert len({event.id for event in told}) == len(told)


async def test_a_hook_that_is_run_by_hand_lets_it_ring() -> None:
    told: list[CallEvent] = []
    phone = SimulatedChannel(clock=FakeClock(), tell=told.append)
    shown: list[str | None] = []

    for kind, user in (
        ("incoming", "1"),
        ("ring", "1"),
        ("ring", "2"),
        ("end", "2"),
        ("end", "1"),
    ):
        phone.play(
            CallEvent(id="evt_1", kind=CallEventKind(kind), user=user, at=FakeClock().now)
        )
        shown.append((await phone.status()).words)

    assert shown == ["Idle", "Ringing 1", "Ringing 1", "Ringing 1", "Idle"]
    assert told == []
