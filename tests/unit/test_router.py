"""The router: by whom it may be asked, and that any text gets an answer or none."""

import asyncio

import pytest
from hypothesis import given, settings, strategies as st

from gateway.caller import Caller, Origin, Permission
from gateway.config import ChatRule
from gateway.phone import CommandOutcome, CommandState
from tests.unit.chat_bench import Bench
from tests.unit.chat_fakes import inbound

VERBS = [
    "dial",
    "status",
    "close",
    "confirm",
    "find",
    "history",
    "more",
    "send",
    "help",
    "ping",
]


async def test_who_may_not_is_refused_and_told_which_rule_to_add() -> None:
    bench = Bench(rules=())

    reply = await bench.say("dial 1002")

    assert reply.startswith("NO dial 1002 (not allowed) #")
    assert reply.endswith('who = ["sip:101@office.example"]\nallow = ["dial"]')
    assert bench.phone.requests == []
    entry = bench.audited
    assert (entry.verb, entry.argument, entry.outcome, entry.state) == (
        "dial",
        "1002",
        CommandOutcome.REFUSED,
        CommandState.DONE,
    )


async def test_access_is_decided_by_when_the_message_was_received() -> None:
    bench = Bench(rules=(ChatRule(who=("*",), allow=("dial",), hours="10:00-10:31"),))
    message = inbound("dial 1002")
    bench.clock.move(seconds=60)

    reply = await bench.router.respond(message)

    assert reply[0].startswith("OK dial 1002")


async def test_a_sender_has_a_limit_and_others_theirs() -> None:
    bench = Bench(sender_commands="1/2")

    replies = [await bench.say("dial 1002") for _ in range(3)]
    other = await bench.say("dial 1002", peer="sip:102@office.example")
    bench.clock.move(seconds=1)
    later = await bench.say("dial 1002")

    assert [reply.split()[0] for reply in (*replies, other, later)] == [
        "OK",
        "OK",
        "NO",
        "OK",
        "OK",
    ]
    assert "too many commands at once; wait some seconds" in replies[2]
    assert len(bench.phone.requests) == 4


async def test_a_token_is_not_held_to_the_senders_limit() -> None:
    bench = Bench(sender_commands="1/1")

    replies = [await bench.ask("ping") for _ in range(3)]

    assert all(reply.startswith("OK ") for reply in replies)


async def test_the_same_command_twice_is_two_commands() -> None:
    bench = Bench()

    await bench.say("volup 1")
    await bench.say("volup 1")

    assert bench.phone.commands == ["volup 1", "volup 1"]


async def test_over_rest_the_reply_has_outcome_lines_and_an_id_of_the_audit() -> None:
    bench = Bench()
    outcomes = {
        "ping": CommandOutcome.CONFIRMED,
        "close": CommandOutcome.UNCONFIRMED,
        "send 102 hi": CommandOutcome.REFUSED,
        "xyzzy": CommandOutcome.FAILED,
    }
    token = Caller(
        who="token:a",
        proof="bearer token",
        origin=Origin.REST,
        permissions=frozenset({Permission.ADMIN}),
    )
    for text, outcome in outcomes.items():
        reply = await bench.router.command(text, token)

        assert reply.outcome is outcome
        assert bench.audit.entries[reply.id].outcome is outcome
        assert reply.lines[0].endswith(f"#{reply.id[-8:]}")


@pytest.mark.parametrize(
    ("text", "verb"),
    [("/Dial 1002", "dial"), ("dail 1", "dail"), ("good morning", ""), ("", "")],
)
def test_the_verb_of_a_text_is_known_without_running_it(text: str, verb: str) -> None:
    bench = Bench()

    assert bench.router.verb_of(text) == verb
    assert bench.phone.requests == []


hostile = st.one_of(
    st.text(max_size=80),
    st.builds(
        lambda prefix, verb, rest: f"{prefix}{verb}{rest}",
        st.sampled_from(["", "/", "OK ", "(1/2) "]),
        st.sampled_from(VERBS),
        st.text(
            st.one_of(st.sampled_from(' "\n\r\t\0()[]:/-01\ud800'), st.characters()),
            max_size=60,
        ),
    ),
)


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(hostile, min_size=1, max_size=5))
def test_any_text_is_answered_within_the_limits_or_not_at_all(texts: list[str]) -> None:
    async def converse() -> None:
        bench = Bench(max_reply_bytes=100)
        for text in texts:
            message = inbound(text)
            bench.router.wants(message)
            bodies = await bench.router.respond(message)

            assert len(bodies) <= 3
            for body in bodies:
                assert len(body.encode()) <= 100

    asyncio.run(converse())


@settings(max_examples=100, deadline=None)
@given(text=hostile)
def test_any_text_over_rest_gets_a_reply_and_an_audit_entry(text: str) -> None:
    bench = Bench()

    reply = asyncio.run(bench.ask(text, *Permission))

    assert reply.split(" ", 1)[0] in {"OK", "WAIT", "NO", "ERR"}
    assert bench.audit.entries or bench.phone.requests
    assert all("\0" not in entry.text for entry in bench.audit.entries.values())
