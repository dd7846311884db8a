"""Commands that wait for ``confirm CODE``."""

import re
from datetime import timedelta

import pytest

from gateway.caller import Permission
from gateway.config import ChatRule
from gateway.phone import CommandOutcome, Problem
from tests.unit.chat_bench import Bench


def code_in(reply: str) -> str:
    found = re.search("confirm ([a-z0-9]{8})$", reply)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("close", "close"),
        ("Close", "close"),
        ("device input 3", "device input 3"),
        ("SetDevice input,3", "device input 3"),
    ],
)
async def test_what_ends_or_restarts_microsip_waits_for_its_code(
    text: str, command: str
) -> None:
    bench = Bench()

    asked = await bench.say(text)
    before = list(bench.phone.commands)
    confirmed = await bench.say(f"confirm {code_in(asked).upper()}")

    assert asked.startswith(f"WAIT {command} (to be confirmed) #")
    assert before == []
    assert confirmed.startswith(f"OK {command} (")
    assert bench.phone.commands == [command]


async def test_a_token_is_asked_for_the_code_as_in_the_chat() -> None:
    bench = Bench()

    asked = await bench.ask("close", Permission.ADMIN)
    confirmed = await bench.ask(f"confirm {code_in(asked)}", Permission.ADMIN)

    assert asked.startswith("WAIT close (to be confirmed) #")
    assert confirmed.startswith("OK close (")


async def test_a_new_code_takes_the_place_of_the_one_before() -> None:
    bench = Bench()
    first = code_in(await bench.say("close"))
    second = code_in(await bench.say("device output 2"))

    stale = await bench.say(f"confirm {first}")
    fresh = await bench.say(f"confirm {second}")

    assert stale.startswith("ERR confirm")
    assert fresh.startswith("OK device output 2 (")
    assert bench.phone.commands == ["device output 2"]


async def test_a_wrong_device_is_refused_before_a_code_is_given() -> None:
    reply = await Bench().say("device input x")

    assert reply.startswith("ERR device")
    assert "confirm" not in reply


async def test_a_code_is_good_once() -> None:
    bench = Bench()
    code = code_in(await bench.say("close"))
    await bench.say(f"confirm {code}")

    again = await bench.say(f"confirm {code}")

    assert again.startswith(f"ERR confirm {code} (no command waits for this code")
    assert bench.phone.commands == ["close"]


async def test_a_code_is_good_for_its_caller_alone() -> None:
    bench = Bench()
    code = code_in(await bench.say("close"))

    other = await bench.say(f"confirm {code}", peer="sip:102@office.example")
    token = await bench.ask(f"confirm {code}", Permission.ADMIN)
    own = await bench.say(f"confirm {code}")

    assert other.startswith("ERR confirm")
    assert token.startswith("ERR confirm")
    assert own.startswith("OK close")


@pytest.mark.parametrize(("seconds", "word"), [(59, "OK"), (60, "ERR")])
async def test_a_code_is_good_for_a_minute(seconds: int, word: str) -> None:
    bench = Bench()
    code = code_in(await bench.say("close"))
    bench.clock.move(seconds=seconds)

    assert (await bench.say(f"confirm {code}")).startswith(f"{word} ")


@pytest.mark.parametrize(
    "text", ["confirm", "confirm aaaaaaaa", "confirm \u00fcberall", "confirm a b"]
)
async def test_a_wrong_code_confirms_nothing_and_loses_nothing(text: str) -> None:
    bench = Bench()
    code = code_in(await bench.say("close"))

    wrong = await bench.say(text)
    right = await bench.say(f"confirm {code}")

    assert wrong.startswith("ERR confirm")
    assert right.startswith("OK close")


async def test_codes_differ() -> None:
    bench = Bench()

    codes = {code_in(await bench.say("close")) for _ in range(5)}

    assert len(codes) == 5


async def test_a_confirmation_is_checked_as_the_command_is() -> None:
    hours = "wed 10:00-10:31"  # 09:30 UTC is 10:30 in Berlin
    bench = Bench(rules=(ChatRule(who=("*",), allow=("close",), hours=hours),))
    code = code_in(await bench.say("close"))
    bench.clock.move(seconds=59)
    bench.clock.move(seconds=0.5)
    in_time = bench.clock.now + timedelta(seconds=0.5)

    reply = await bench.say(f"confirm {code}", at=in_time)

    assert reply.startswith("NO close (not allowed at this hour)")
    assert bench.phone.requests == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("confirm aaaaaaaa", 0), ("confirm CODE", 60), ("confirm", 0)],
    ids=["wrong", "late", "none"],
)
async def test_a_confirmation_that_is_refused_is_in_the_audit(text: str, seconds: int) -> None:
    bench = Bench()
    code = code_in(await bench.say("close"))
    bench.clock.move(seconds=seconds)

    await bench.say(text.replace("CODE", code))

    assert (bench.audited.verb, bench.audited.outcome) == ("confirm", CommandOutcome.FAILED)
    assert bench.audited.problem is Problem.INVALID
    assert bench.phone.requests == []


async def test_a_confirmation_read_too_late_is_not_run() -> None:
    bench = Bench()
    code = code_in(await bench.say("close"))
    sent = bench.clock.now - timedelta(seconds=61)

    reply = await bench.say(f"confirm {code}", at=sent)

    assert reply.startswith(f"ERR confirm {code} (too late")
    assert bench.phone.requests == []
