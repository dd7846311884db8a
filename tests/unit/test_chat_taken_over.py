"""A message of a gateway that stopped, answered by another: its phone is not here."""

from dataclasses import replace

import pytest

from gateway.message import Message
from gateway.phone import CommandEntry, CommandOutcome, CommandState, Verb
from tests.unit.chat_bench import Bench
from tests.unit.chat_fakes import START, inbound

EXAMPLES = {
    Verb.DIAL: "dial 1002",
    Verb.CALLTO: "callto 1002",
    Verb.HANGUP: "hangup",
    Verb.ANSWER: "answer",
    Verb.REJECT: "reject",
    Verb.HOLD: "hold",
    Verb.TRANSFER: "transfer 1002",
    Verb.DTMF: "dtmf 1",
    Verb.MUTE: "mute",
    Verb.VOLUP: "volup",
    Verb.VOLDOWN: "voldown",
    Verb.VOLUME: "volume 50",
    Verb.MICVOLUME: "micvolume 50",
    Verb.DEVICE: "device input 1",
    Verb.STATUS: "status",
    Verb.CLOSE: "close",
}
OF_THE_PHONE = [*(EXAMPLES[verb] for verb in Verb), "confirm 1234", "send as:me 1002 hello"]


def taken_over(text: str) -> Message:
    return replace(inbound(text), taken_over=True)


def entry_of(message: Message, state: CommandState, **outcome: str) -> CommandEntry:
    """What the gateway that stopped left in the audit."""
    known = CommandOutcome(outcome["outcome"]) if outcome else None
    return CommandEntry(
        id="cmd_old",
        at=START,
        who=message.peer,
        proof="sip",
        origin="sip",
        text=message.text,
        verb="dial",
        argument="1002",
        message_id=message.id,
        state=state,
        outcome=known,
        evidence="idle -> dialing" if known else "",
    )


@pytest.mark.parametrize("text", OF_THE_PHONE)
async def test_no_phone_command_is_run_and_its_sender_is_told_so(text: str) -> None:
    bench = Bench()
    message = taken_over(text)

    (reply,) = await bench.router.respond(message)

    assert reply.startswith(f"ERR {text} (not done: the gateway it was written to stopped;")
    assert "write it again" in reply
    assert bench.phone.requests == []
    assert bench.phone.written == []
    assert (bench.audited.message_id, bench.audited.outcome) == (
        message.id,
        CommandOutcome.FAILED,
    )


async def test_a_command_that_was_begun_may_have_happened() -> None:
    bench = Bench()
    message = taken_over("dial 1002")
    await bench.audit.begin(entry_of(message, CommandState.STARTED))

    (reply,) = await bench.router.respond(message)

    assert reply.startswith("WAIT dial 1002 (interrupted; check the phone)")
    assert bench.phone.requests == []


async def test_a_command_that_was_done_is_told_as_done() -> None:
    bench = Bench()
    message = taken_over("dial 1002")
    done = entry_of(message, CommandState.DONE, outcome="confirmed")
    await bench.audit.begin(done)

    (reply,) = await bench.router.respond(message)

    assert reply.startswith("OK dial 1002 (idle -> dialing)")
    assert bench.phone.requests == []


@pytest.mark.parametrize("text", ["help", "find hello", "ping", "send 1002 hello"])
async def test_what_touches_no_phone_is_answered_as_ever(text: str) -> None:
    here, elsewhere = Bench(), Bench()

    (usual,) = await here.router.respond(inbound(text))
    (reply,) = await elsewhere.router.respond(taken_over(text))

    assert reply.split("#", maxsplit=1)[0] == usual.split("#", maxsplit=1)[0]
    assert reply.startswith("OK")
