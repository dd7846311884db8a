"""``send as:me``: a message out of the user's own MicroSIP."""

from dataclasses import replace

import pytest

from gateway.caller import Permission
from gateway.config import ChatRule
from gateway.errors import StorageUnavailable
from gateway.message import Message
from gateway.phone import CommandOutcome, CommandState, Problem
from gateway.phone_message import PhoneMessage
from tests.unit.chat_bench import Bench
from tests.unit.chat_fakes import EndlessCommandLog, FakeCallControl, FakeSubmitter, inbound

HELLO = PhoneMessage("1002", "back at three")
SEND_IT = "send as:me 1002 back at three"


def rule(*allow: str, args: str = "") -> ChatRule:
    return ChatRule(who=("*",), allow=allow, args=(args,) if args else ())


@pytest.mark.parametrize(
    "text",
    [
        SEND_IT,
        "/Send AS:ME 1002 back at three",
        'send as:me 1002 "back at three"',
        'send as:me "10 02" back at\nthree',
    ],
)
async def test_it_goes_out_of_microsip_and_is_never_called_delivered(text: str) -> None:
    bench = Bench()

    reply = await bench.say(text)

    assert reply.startswith("WAIT send as:me 1002 (sent; MicroSIP does not report it) #")
    assert bench.phone.written == bench.submitter.kept == [HELLO]
    assert bench.submitter.sent == []
    assert (bench.audited.verb, bench.audited.outcome) == ("send", CommandOutcome.UNCONFIRMED)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("send as:me", "type: send as:me 1002"),
        ("send as:me 1002", "there is no text"),
        ("send as:me 1002 see /account:2", "/account:"),
        ("send as:me eva hello", "type: send as:me 1002"),
        ("send as:me 1002 " + "x" * 701, "701 bytes"),
    ],
)
async def test_what_cannot_be_written_is_an_error_that_says_what_to_type(
    text: str, says: str
) -> None:
    bench = Bench()

    reply = await bench.say(text)

    assert reply.startswith("ERR send as:me")
    assert says in reply
    assert (bench.audited.verb, bench.audited.problem) == ("send", Problem.INVALID)
    assert bench.phone.written == bench.submitter.kept == []


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        pytest.param((rule("send"),), False, id="send alone"),
        pytest.param((rule("phone:control"),), False, id="phone:control alone"),
        pytest.param((rule("send", "phone:read", "dial"),), False, id="a verb of the phone"),
        pytest.param((rule("send", "phone:control"),), True, id="both"),
        pytest.param((rule("send"), rule("phone:*")), True, id="of two rules"),
        pytest.param((rule("*"),), True, id="everything"),
        pytest.param((rule("*", args="10??"),), True, id="this number"),
        pytest.param((rule("*", args="11??"),), False, id="another number"),
        pytest.param((rule("send"), rule("phone:*", args="2*")), False, id="other calls"),
    ],
)
async def test_it_needs_the_right_to_send_and_that_to_the_phone(
    rules: tuple[ChatRule, ...], *, allowed: bool
) -> None:
    bench = Bench(rules=rules)

    reply = await bench.say(SEND_IT)

    assert reply.startswith("WAIT send" if allowed else "NO send")
    assert bench.phone.written == ([HELLO] if allowed else [])
    assert bench.audited.outcome is (
        CommandOutcome.UNCONFIRMED if allowed else CommandOutcome.REFUSED
    )


async def test_a_refusal_names_the_class_to_allow() -> None:
    reply = await Bench(rules=(rule("send"),)).say(SEND_IT)

    assert reply.endswith('allow = ["phone:control"]')


@pytest.mark.parametrize(
    ("permissions", "word"),
    [
        ((Permission.SEND,), "NO"),
        ((Permission.PHONE_CONTROL,), "NO"),
        ((Permission.SEND, Permission.PHONE_CONTROL), "WAIT"),
    ],
    ids=str,
)
async def test_a_token_needs_both_scopes(
    permissions: tuple[Permission, ...], word: str
) -> None:
    reply = await Bench().ask(SEND_IT, *permissions)

    assert reply.startswith(f"{word} send")


@pytest.mark.parametrize(
    ("problem", "word", "outcome"),
    [
        (Problem.NOT_ALLOWED, "NO", CommandOutcome.REFUSED),
        (Problem.NOT_RESPONDING, "WAIT", CommandOutcome.UNCONFIRMED),
        (Problem.FAILED, "ERR", CommandOutcome.FAILED),
        (Problem.NOT_RUNNING, "ERR", CommandOutcome.FAILED),
    ],
)
async def test_what_did_not_surely_leave_is_not_in_the_history(
    problem: Problem, word: str, outcome: CommandOutcome
) -> None:
    bench = Bench(phone=FakeCallControl(problem=problem, detail="look at the phone"))

    reply = await bench.say(SEND_IT)

    assert reply.startswith(f"{word} send as:me 1002 (look at the phone) #")
    assert (bench.audited.outcome, bench.audited.problem) == (outcome, problem)
    assert bench.submitter.kept == []


class NoHistory(FakeSubmitter):
    """The database went away after MicroSIP took the message."""

    async def keep_written(self, message: PhoneMessage) -> Message:
        raise StorageUnavailable(message.number)


async def test_what_left_is_told_though_the_history_is_lost() -> None:
    bench = Bench(submitter=NoHistory(), audit=EndlessCommandLog())

    reply = await bench.say(SEND_IT)

    assert reply.startswith("WAIT send as:me 1002 (sent; MicroSIP does not report it; the")
    assert "database is away" in reply
    assert bench.phone.written == [HELLO]
    assert bench.audited.state is CommandState.STARTED


async def test_it_is_sent_once_for_its_message() -> None:
    bench = Bench()
    message = inbound(SEND_IT)

    first = await bench.router.respond(message)
    bench.restart()
    again = await bench.router.respond(message)

    assert bench.phone.written == [HELLO]
    assert again[0].startswith("WAIT send ")
    assert again[0][-8:] == first[0][-8:]


async def test_one_that_a_crash_cut_off_is_not_repeated() -> None:
    bench = Bench()
    message = inbound(SEND_IT)
    await bench.router.respond(message)
    await bench.audit.finish(
        replace(bench.audited, state=CommandState.STARTED, outcome=None, detail="")
    )
    bench.restart()

    again = await bench.router.respond(message)

    assert again[0].startswith("WAIT send as:me 1002 back at three (interrupted; look")
    assert bench.phone.written == [HELLO]


async def test_one_read_too_late_is_not_sent() -> None:
    bench = Bench()
    message = inbound(SEND_IT)
    bench.clock.move(seconds=61)

    reply = await bench.router.respond(message)

    assert reply[0].startswith("ERR send as:me 1002 back at three (too late")
    assert bench.phone.written == []


async def test_without_it_a_message_may_be_late_and_is_the_gateways() -> None:
    bench = Bench()
    message = inbound("send 1002 as:me too")
    bench.clock.move(seconds=61)

    reply = await bench.router.respond(message)

    assert reply[0].startswith("OK send 1002 (queued)")
    assert bench.phone.written == []


async def test_help_tells_of_it() -> None:
    assert "send [as:me] PEER TEXT" in await Bench().say("help send")
