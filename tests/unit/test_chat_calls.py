"""Reading the calls in the chat."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.call import Call, CallDirection, CallOutcome
from gateway.caller import Permission
from gateway.chat.calls import call_line
from gateway.config import ChatRule
from tests.unit.call_fakes import FakeCallLog
from tests.unit.chat_bench import BERLIN, Bench
from tests.unit.chat_fakes import START

NOW = START.astimezone(BERLIN)
MISSED = Call(
    id="call_1",
    direction=CallDirection.INCOMING,
    peer="555",
    name="Anna",
    started_at=START,
    rang_at=START,
    ended_at=START,
    outcome=CallOutcome.MISSED,
)


def dialled(number: int) -> Call:
    return Call(
        id=f"call_out_{number}",
        direction=CallDirection.OUTGOING,
        peer=str(number),
        started_at=START - timedelta(hours=number),
    )


async def test_the_last_calls_are_listed_newest_first() -> None:
    bench = Bench(call_log=FakeCallLog([dialled(2), MISSED, dialled(1)]))

    first, *lines = (await bench.say("calls 2")).split("\n")

    assert first.startswith("OK calls (2, newest first) #")
    assert lines[0] == "10:30 <- 555 Anna (missed)"
    assert lines[1].startswith("09:30 -> 1 (rings)")
    assert "more" in lines[-1]


async def test_more_goes_on_where_the_list_ended() -> None:
    bench = Bench(call_log=FakeCallLog([dialled(number) for number in range(12)]))
    await bench.say("calls")

    reply = await bench.say("more")

    assert [line.split()[-2] for line in reply.split("\n")[1:]] == ["10", "11"]


async def test_without_calls_it_says_so() -> None:
    assert (await Bench().say("calls")).startswith("OK calls (none) #")


@pytest.mark.parametrize(
    ("call", "line"),
    [
        pytest.param(MISSED, "10:30 <- 555 Anna (missed)", id="missed"),
        pytest.param(
            replace(
                MISSED,
                answered_at=START,
                ended_at=START + timedelta(seconds=125),
                outcome=CallOutcome.ANSWERED,
            ),
            "10:30 <- 555 Anna (answered, 2:05)",
            id="answered",
        ),
        pytest.param(
            replace(MISSED, ended_at=None, outcome=None, answered_at=START, name=""),
            "10:30 <- 555 (goes on)",
            id="goes-on",
        ),
        pytest.param(
            replace(MISSED, started_at=START - timedelta(days=1), peer="", name=""),
            "2026-11-03 10:30 <- (no number) (missed)",
            id="yesterday",
        ),
        pytest.param(
            replace(MISSED, peer="5\u202e5\n", name="A\x07"),
            "10:30 <- 5?5 A? (missed)",
            id="hostile",
        ),
        pytest.param(
            replace(MISSED, outcome=CallOutcome.TURNED_AWAY, name=""),
            "10:30 <- 555 (turned away)",
            id="turned-away",
        ),
    ],
)
def test_a_call_is_one_line(call: Call, line: str) -> None:
    assert call_line(call, NOW) == line


@pytest.mark.parametrize("argument", ["0", "201", "ten", "5 5", "٣"])
async def test_a_wrong_count_is_explained(argument: str) -> None:
    reply = await Bench().say(f"calls {argument}")

    assert reply.startswith("ERR calls")
    assert "type: calls 20" in reply


async def test_only_who_may_read_the_phone_sees_its_calls() -> None:
    bench = Bench(
        rules=(ChatRule(who=("*",), allow=("history:all",)),), call_log=FakeCallLog([MISSED])
    )

    refused = await bench.say("calls")
    shown = await bench.ask("calls", Permission.PHONE_READ)

    assert refused.startswith("NO calls")
    assert "555 Anna" in shown
