"""The command that writes to somebody else."""

from dataclasses import replace

import pytest

from gateway.config import ChatRule
from gateway.phone import CommandState
from tests.unit.chat_bench import Bench
from tests.unit.chat_fakes import EndlessCommandLog, inbound


async def test_send_queues_a_message_in_the_callers_name() -> None:
    bench = Bench()

    reply = await bench.say('send 102 "back at three"')

    assert reply.startswith("OK send 102 (queued) #")
    assert bench.submitter.sent == [("sip:101@office.example", "102", "back at three")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("send", "send takes a peer and a text"),
        ("send 102", "send takes a peer and a text"),
        ("send !! hello", "not an address"),
        ("send a@@b hello", "not a SIP URI"),
    ],
)
async def test_a_wrong_send_says_what_to_type(text: str, says: str) -> None:
    bench = Bench()

    reply = await bench.say(text)

    assert reply.startswith("ERR send")
    assert says in reply
    assert "type: send 1002" in reply


async def test_a_peer_cannot_hide_another_host_from_a_rule() -> None:
    bench = Bench(rules=(ChatRule(who=("*",), allow=("send",), args=("*@office.example",)),))

    hidden = await bench.say("send 1@evil.example?x=@office.example hello")
    plain = await bench.say("send 1@office.example hello")

    assert hidden.startswith("NO send")
    assert plain.startswith("OK send")


async def test_a_message_is_sent_once_for_its_command() -> None:
    bench = Bench()
    message = inbound("send 102 hello")

    first = await bench.router.respond(message)
    bench.restart()
    again = await bench.router.respond(message)

    assert len(bench.submitter.sent) == 1
    assert again[0].split("(")[0].startswith("OK send")
    assert first[0].endswith(bench.audited.id[-8:])


async def test_a_message_that_is_queued_is_told_though_the_audit_is_lost() -> None:
    bench = Bench(audit=EndlessCommandLog())

    assert (await bench.say("send 102 hello")).startswith("OK send 102 (queued)")
    assert len(bench.submitter.sent) == 1


async def test_a_send_that_a_crash_cut_off_is_not_repeated() -> None:
    bench = Bench()
    message = inbound("send 102 hello")
    await bench.router.respond(message)
    await bench.audit.finish(
        replace(bench.audited, state=CommandState.STARTED, outcome=None, detail="")
    )
    bench.restart()

    again = await bench.router.respond(message)

    assert again[0].startswith("WAIT send 102 hello (interrupted; look whether")
    assert len(bench.submitter.sent) == 1
    assert bench.audited.state is CommandState.DONE
