"""The sixteen verbs, and how their outcome is worded."""

from dataclasses import replace

import pytest

from gateway.config import ChatRule
from gateway.message import Status
from gateway.phone import TO_CONFIRM, CommandOutcome, CommandState, Problem, Verb
from tests.unit.chat_bench import Bench
from tests.unit.chat_fakes import FakeCallControl, inbound

ARGUMENTS = {
    Verb.DIAL: "1002",
    Verb.CALLTO: "sip:1002@office.example",
    Verb.TRANSFER: "*21#",
    Verb.DTMF: "12,A#",
    Verb.VOLUP: "1",
    Verb.VOLDOWN: "10",
    Verb.VOLUME: "0",
    Verb.MICVOLUME: "100",
    Verb.DEVICE: "input 3",
}


def typed(name: str, verb: Verb) -> str:
    return f"{name} {ARGUMENTS.get(verb, '')}".strip()


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb not in TO_CONFIRM])
async def test_a_verb_goes_by_its_chat_word_and_its_dde_name(verb: Verb) -> None:
    bench = Bench()

    first = await bench.say(typed(verb.value, verb))
    second = await bench.say(typed(verb.dde_name, verb))
    third = await bench.say("/" + typed(verb.dde_name.upper(), verb))

    assert bench.phone.commands == [typed(verb.value, verb)] * 3
    for reply in (first, second, third):
        assert reply.startswith(f"OK {typed(verb.value, verb)} (")


@pytest.mark.parametrize(
    ("outcome", "problem", "detail", "expected"),
    [
        (CommandOutcome.CONFIRMED, Problem.NONE, "", "OK volume 40 (idle -> dialing) #"),
        (
            CommandOutcome.UNCONFIRMED,
            Problem.NONE,
            "sent; MicroSIP does not report it",
            "WAIT volume 40 (sent; MicroSIP does not report it) #",
        ),
        (
            CommandOutcome.REFUSED,
            Problem.NOT_ALLOWED,
            "00* is denied",
            "NO volume 40 (00* is denied) #",
        ),
        (CommandOutcome.REFUSED, Problem.NO_CALL, "no call", "ERR volume 40 (no call) #"),
        (CommandOutcome.FAILED, Problem.NO_CALL, "no call", "ERR volume 40 (no call) #"),
        (CommandOutcome.FAILED, Problem.FAILED, "not done", "ERR volume 40 (not done) #"),
        (CommandOutcome.FAILED, Problem.NOT_RUNNING, "start it", "ERR volume 40 (start it) #"),
        (
            CommandOutcome.FAILED,
            Problem.NOT_RESPONDING,
            "it hangs",
            "ERR volume 40 (it hangs) #",
        ),
        (
            CommandOutcome.UNCONFIRMED,
            Problem.NOT_RESPONDING,
            "it hangs",
            "WAIT volume 40 (it hangs) #",
        ),
        (
            CommandOutcome.FAILED,
            Problem.INTERRUPTED,
            "",
            "WAIT volume 40 (interrupted; check the phone) #",
        ),
    ],
    ids=lambda value: str(value).replace(" ", "_") or "none",
)
async def test_an_outcome_has_its_word(
    outcome: CommandOutcome, problem: Problem, detail: str, expected: str
) -> None:
    bench = Bench(phone=FakeCallControl(outcome=outcome, problem=problem, detail=detail))

    reply = await bench.say("volume 40")

    assert reply.startswith(expected)


@pytest.mark.parametrize(
    ("raw", "detail", "expected"),
    [
        ("idle", "", "OK status (idle) #"),
        ("Ready", "", "OK status (idle; Ready) #"),
        ("", "MicroSIP does not report it", "OK status (idle; MicroSIP does not report it) #"),
    ],
    ids=["a state word", "other words", "no words"],
)
async def test_status_shows_the_state_and_what_microsip_said(
    raw: str, detail: str, expected: str
) -> None:
    bench = Bench(phone=FakeCallControl(raw=raw, detail=detail))

    assert (await bench.say("status")).startswith(expected)


async def test_a_simulated_phone_says_so() -> None:
    bench = Bench(phone=FakeCallControl(simulated=True))

    reply = await bench.say("dial 1002")

    assert reply.startswith("OK dial 1002 (idle -> dialing; simulated) #")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('dial 1001")][Close("', "type: dial 1002"),
        ('dial "1001")][Close("', "type: dial 1002"),
        ("dial 1001\nhangup", "type: dial 1002"),
        ("dial 10 02", "type: dial 1002"),
        ('dial "10\t02"', "type: dial 1002"),
        ("dial 1001\x00", "type: dial 1002"),
        ("dial " + "1" * 200, "type: dial 1002"),
        ("dial", "type: dial 1002"),
        ("dial \u0661\u0662", "type: dial 1002"),
        ("dial sip:1@x?Route=evil y", "type: dial 1002"),
        ("volume 101", "from 0 to 100"),
        ("volume -1", "from 0 to 100"),
        ("volup 0", "from 1 to 10"),
        ("dtmf 12E", "type: dtmf 123#"),
        ("device x", "type: device input 3"),
        ("device input x", "type: device input 3"),
        ("hangup now", "type: hangup"),
        ("dial " + "\U0001f4de" * 16000, "type: dial 1002"),
    ],
    ids=range(18),
)
async def test_a_hostile_argument_is_an_error_that_says_what_to_type(
    text: str, says: str
) -> None:
    bench = Bench()

    reply = await bench.say(text)

    assert bench.phone.requests == []
    assert reply.startswith(f"ERR {text.split(maxsplit=1)[0]} ")
    assert says in reply
    assert reply.isprintable()
    assert (bench.audited.verb, bench.audited.outcome) == (
        text.split(maxsplit=1)[0],
        CommandOutcome.FAILED,
    )


@pytest.mark.parametrize(
    "text", ['dial "+49 30 123"', "dial tel:+49-30-123", "dial +49(30)123"]
)
async def test_a_number_is_dialled_as_people_and_links_write_it(text: str) -> None:
    bench = Bench()

    reply = await bench.say(text)

    assert reply.startswith("OK dial +4930123 (")
    assert bench.phone.commands == ["dial +4930123"]


async def test_what_a_rule_matches_is_what_is_dialled() -> None:
    bench = Bench(rules=(ChatRule(who=("*",), allow=("dial",), args=("*@office.example",)),))

    allowed = await bench.say("dial sip:1@office.example")
    hidden = await bench.say("dial sip:1@evil.example?x=@office.example")

    assert allowed.startswith("OK dial")
    assert not hidden.startswith("OK")
    assert bench.phone.commands == ["dial sip:1@office.example"]


async def test_a_phone_command_carries_its_message_and_sender() -> None:
    bench = Bench()
    message = inbound("Dial 1002")

    await bench.router.respond(message)

    request = bench.phone.requests[0]
    assert (request.message_id, request.text) == (message.id, "Dial 1002")
    assert request.caller.who == "sip:101@office.example"
    assert request.caller.proof == "sip udp:10.0.0.5:5060"
    assert bench.audit.entries == {}  # CallControl writes that one


async def test_a_phone_command_read_too_late_is_not_run() -> None:
    bench = Bench()
    message = inbound("dial 1002")
    bench.clock.move(seconds=61)

    reply = await bench.router.respond(message)

    assert reply[0].startswith("ERR dial 1002 (too late: it is 61 s old and was not run) #")
    assert bench.phone.requests == []
    assert bench.audited.message_id == message.id
    assert bench.audited.state is CommandState.DONE


async def test_a_command_that_touches_no_phone_may_be_late() -> None:
    bench = Bench()
    message = inbound("ping")
    bench.clock.move(hours=2)

    assert (await bench.router.respond(message))[0].startswith("OK ping (pong)")


@pytest.mark.parametrize("started", [True, False], ids=["cut off", "done"])
async def test_too_late_is_not_said_of_what_was_run_before_a_crash(*, started: bool) -> None:
    bench = Bench()
    message = inbound("dial 1002")
    await bench.router.respond(replace(message, text="ping"))
    run = replace(
        bench.audited,
        message_id=message.id,
        verb="dial",
        argument="1002",
        state=CommandState.STARTED if started else CommandState.DONE,
        outcome=None if started else CommandOutcome.CONFIRMED,
        detail="",
        evidence="" if started else "idle -> dialing",
    )
    await bench.audit.finish(run)
    bench.restart()
    bench.clock.move(minutes=10)

    reply = await bench.router.respond(message)

    expected = "WAIT dial 1002 (interrupted;" if started else "OK dial 1002 (idle -> dialing)"
    assert reply[0].startswith(expected)
    assert bench.audited.state is CommandState.DONE


async def test_close_needs_the_right_to_it() -> None:
    bench = Bench(rules=(ChatRule(who=("*",), allow=("phone:*",)),))

    assert (await bench.say("close")).startswith("NO close (not allowed)")


async def test_a_message_status_is_no_phone_status() -> None:
    bench = Bench()

    await bench.say("send 102 hello")

    assert bench.phone.requests == []
    assert bench.submitter.sent == [("sip:101@office.example", "102", "hello")]
    assert bench.audited.detail == Status.QUEUED
