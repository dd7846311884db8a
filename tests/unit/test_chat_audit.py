"""Every command that is refused leaves a row in the audit."""

from datetime import timedelta

import pytest

from gateway.config import ChatRule
from gateway.phone import CommandOutcome, CommandState, Problem
from tests.unit.chat_bench import EVERYTHING, Bench

NIGHT = (ChatRule(who=("*",), allow=("*",), hours="22:00-23:00"),)
FOR_OTHERS = (ChatRule(who=("sip:102@*",), allow=("*",)),)
SHORT_NUMBERS = (ChatRule(who=("*",), allow=("*",), args=("1???",)),)
NO_PREMIUM = (ChatRule(who=("*",), args=("0900*",)), *EVERYTHING)


@pytest.mark.parametrize(
    ("text", "rules", "problem", "word"),
    [
        pytest.param("dial 1002", (), Problem.NOT_ALLOWED, "NO", id="no rule"),
        pytest.param("dial 1002", FOR_OTHERS, Problem.NOT_ALLOWED, "NO", id="another's rule"),
        pytest.param("dial 1002", NIGHT, Problem.NOT_ALLOWED, "NO", id="hour"),
        pytest.param("dial 2002", SHORT_NUMBERS, Problem.NOT_ALLOWED, "NO", id="argument"),
        pytest.param("dial 09-00123", NO_PREMIUM, Problem.NOT_ALLOWED, "NO", id="denied"),
        pytest.param("device input 3", (), Problem.NOT_ALLOWED, "NO", id="device"),
        pytest.param("send as:me 1002 hi", (), Problem.NOT_ALLOWED, "NO", id="as me"),
        pytest.param("send 1002 hi", (), Problem.NOT_ALLOWED, "NO", id="send"),
        pytest.param("find x", (), Problem.NOT_ALLOWED, "NO", id="find"),
        pytest.param("dial tel:1;ext=2", EVERYTHING, Problem.INVALID, "ERR", id="extension"),
        pytest.param("dial x", EVERYTHING, Problem.INVALID, "ERR", id="no number"),
        pytest.param("volume 101", EVERYTHING, Problem.INVALID, "ERR", id="out of range"),
        pytest.param("close now", EVERYTHING, Problem.INVALID, "ERR", id="extra"),
        pytest.param("confirm zzzzzzzz", EVERYTHING, Problem.INVALID, "ERR", id="code"),
        pytest.param("send as:me 1 /account:2", EVERYTHING, Problem.INVALID, "ERR", id="text"),
        pytest.param("/frobnicate", EVERYTHING, Problem.INVALID, "ERR", id="no verb"),
    ],
)
async def test_a_refusal_is_in_the_audit(
    text: str, rules: tuple[ChatRule, ...], problem: Problem, word: str
) -> None:
    bench = Bench(rules=rules)

    reply = await bench.say(text)

    (entry,) = bench.audit.entries.values()
    assert reply.startswith(f"{word} ")
    assert (entry.text, entry.problem, entry.state) == (text, problem, CommandState.DONE)
    assert entry.outcome is not CommandOutcome.CONFIRMED
    assert (entry.who, bool(entry.detail)) == ("sip:101@office.example", True)
    assert (bench.phone.requests, bench.phone.written, bench.submitter.sent) == ([], [], [])


async def test_a_command_beyond_the_senders_limit_is_in_the_audit() -> None:
    bench = Bench(sender_commands="1/1")
    await bench.say("dial 1002")

    await bench.say("dial 1003")

    assert (bench.audited.argument, bench.audited.outcome) == ("1003", CommandOutcome.REFUSED)
    assert "too many commands" in bench.audited.detail
    assert bench.phone.commands == ["dial 1002"]


@pytest.mark.parametrize("text", ["dial 1002", "close", "confirm abc", "send as:me 1 hi"])
async def test_a_command_that_came_too_late_is_in_the_audit(text: str) -> None:
    bench = Bench()

    await bench.say(text, at=bench.clock.now - timedelta(seconds=61))

    assert (bench.audited.text, bench.audited.outcome) == (text, CommandOutcome.FAILED)
    assert "too late" in bench.audited.detail
    assert (bench.phone.requests, bench.phone.written) == ([], [])
