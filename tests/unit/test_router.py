"""The router: what is answered, by whom it may be asked, and what a reply looks like."""

import asyncio
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings, strategies as st

from gateway.caller import Caller, Origin, Permission
from gateway.chat.command import Call, Command, Reply
from gateway.chat.router import HINT
from gateway.config import ChatRule
from gateway.errors import StorageUnavailable
from gateway.phone import CommandEntry, CommandOutcome, CommandState
from gateway.split import byte_length
from tests.unit.chat_bench import Bench
from tests.unit.chat_fakes import BOT, FakeCommandLog, inbound, outbound


@dataclass
class AwayLog(FakeCommandLog):
    """Cannot be reached the first *times*."""

    times: int = 0

    async def record(self, entry: CommandEntry) -> None:
        if self.times:
            self.times -= 1
            raise StorageUnavailable
        await super().record(entry)


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


async def test_ping_answers_at_once() -> None:
    bench = Bench(rules=())

    reply = await bench.say("ping")

    assert reply == f"OK ping (pong) #{bench.audited.id[-8:]}"


async def test_version_tells_the_version() -> None:
    assert (await Bench(rules=()).say("version")).startswith("OK version 1.2.3 #")


async def test_whoami_tells_a_sender_how_it_is_known_and_what_it_may() -> None:
    bench = Bench(rules=(ChatRule(who=("*",), allow=("status",)),))

    reply = await bench.say("whoami")

    assert reply.startswith("OK whoami sip:101@office.example (sip udp:10.0.0.5:5060) #")
    assert "\nMay use: status confirm more help whoami ping version" in reply


async def test_whoami_tells_a_token_its_scopes() -> None:
    reply = await Bench().ask("whoami", Permission.SEND, Permission.PHONE_READ)

    assert reply.startswith("OK whoami token:crm (bearer token) #")
    assert "\nBy its scopes: phone:read send\n" in reply
    assert "send" in reply.rpartition("May use:")[2]


async def test_help_lists_every_verb_by_class() -> None:
    reply = await Bench(rules=()).say("help")

    assert "\nphone:read: status\n" in reply
    assert "\nadmin: close\n" in reply
    assert "\nhistory:own or history:all: find history\n" in reply
    assert "anyone: confirm more help whoami ping version" in reply


async def test_help_explains_a_verb_by_either_name() -> None:
    reply = await Bench().say("help SendDTMF")

    assert reply.startswith("OK help dtmf #")
    assert "dtmf DIGITS - Sends tones" in reply
    assert "For: phone:control. Also called: senddtmf" in reply


async def test_help_of_an_unknown_verb_names_the_nearest() -> None:
    assert (await Bench().say("help dail")).startswith(
        "ERR help dail (no such verb; nearest: dial"
    )


@pytest.mark.parametrize("text", ["help vol", "/vol", "help sendd", "/sendd"])
async def test_the_nearest_three_are_three_verbs_each_by_its_chat_word(text: str) -> None:
    reply = await Bench().ask(text)

    near = reply.partition("nearest: ")[2].partition(";")[0].split(", ")
    named = {
        word for line in (await Bench().ask("help")).split("\n")[1:] for word in line.split()
    }
    assert len(set(near)) == 3
    assert set(near) <= named


@pytest.mark.parametrize("text", ["/frobnicate", "help frobnicate", "/xyzzy", "/", 'help ""'])
async def test_a_verb_like_none_is_told_of_help_alone(text: str) -> None:
    reply = await Bench().ask(text)

    assert "(no such verb; help lists all)" in reply


@pytest.mark.parametrize("text", ["dail 1002", "/foo"])
async def test_an_unknown_verb_gets_the_nearest_three_over_rest(text: str) -> None:
    reply = await Bench().ask(text)

    assert reply.startswith("ERR ")
    assert reply.partition("nearest: ")[2].count(",") == 2


async def test_an_unknown_verb_in_the_chat_gets_the_nearest_three() -> None:
    bench = Bench()

    reply = await bench.say("dail 1002")

    assert reply.startswith("ERR dail (no such verb; nearest: dial, ")
    assert (bench.audited.verb, bench.audited.outcome) == ("dail", CommandOutcome.FAILED)


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


@pytest.mark.parametrize(
    ("text", "verb"),
    [("/Dial 1002", "dial"), ("dail 1", "dail"), ("good morning", ""), ("", "")],
)
def test_the_verb_of_a_text_is_known_without_running_it(text: str, verb: str) -> None:
    bench = Bench()

    assert bench.router.verb_of(text) == verb
    assert bench.phone.requests == []


# --- what is not answered -------------------------------------------------------------


async def test_plain_text_gets_one_hint_an_hour() -> None:
    bench = Bench()
    first, second = inbound("good morning"), inbound("anybody?")

    wanted = (bench.router.wants(first), bench.router.wants(second), bench.router.wants(first))
    replies = (await bench.router.respond(first), await bench.router.respond(second))

    assert wanted == (True, False, True)
    assert replies == ((HINT,), ())


@pytest.mark.parametrize(("minutes", "wanted"), [(59, False), (60, True)])
def test_the_hint_comes_again_after_an_hour(minutes: int, *, wanted: bool) -> None:
    bench = Bench()
    bench.wants("good morning")
    bench.clock.move(minutes=minutes)

    assert bench.wants("good evening") is wanted


def test_each_peer_has_its_own_hint() -> None:
    bench = Bench()
    bench.wants("good morning")

    assert bench.wants("good morning", peer="sip:102@office.example")


async def test_a_text_that_a_crash_left_gets_its_hint() -> None:
    bench = Bench()
    message = inbound("good morning")
    bench.router.wants(message)
    bench.restart()

    assert await bench.router.respond(message) == (HINT,)


def test_a_flood_of_plain_text_is_not_wanted() -> None:
    bench = Bench()

    wanted = sum(bench.wants(f"good morning {i}") for i in range(1000))

    assert wanted == 1


@pytest.mark.parametrize(
    "text",
    [
        "OK dial 1002 (idle -> dialing) #eeee1234",
        "WAIT close (to be confirmed)",
        "NO dial 1002 (not allowed)",
        "ERR dail (no such verb)",
        "(2/3) dial 1002",
        "OK",
        " OK ping",
    ],
)
async def test_words_like_ours_are_not_answered(text: str) -> None:
    bench = Bench()

    assert not bench.wants(text)
    assert await bench.say(text) == ""


def test_our_own_account_is_not_answered() -> None:
    assert not Bench().wants("ping", peer=BOT)


async def test_a_peer_that_repeats_what_it_was_told_is_not_answered() -> None:
    bench = Bench()
    bench.archive.messages.append(outbound("dial 1002 "))
    bench.clock.move(seconds=30)

    echoed = await bench.say("dial 1002")
    other = await bench.say("dial 1002", peer="sip:102@office.example")
    bench.clock.move(seconds=31)
    later = await bench.say("dial 1002")

    assert echoed == ""
    assert other.startswith("OK")
    assert later.startswith("OK")


async def test_a_peer_gets_twenty_replies_a_minute() -> None:
    bench = Bench()

    replies = [await bench.say("ping") for _ in range(25)]
    wanted = bench.wants("ping")
    other = bench.wants("ping", peer="sip:102@office.example")
    bench.clock.move(minutes=1)

    assert [reply != "" for reply in replies] == [True] * 20 + [False] * 5
    assert (wanted, other, bench.wants("ping")) == (False, True, True)


async def test_a_message_tried_again_while_the_store_is_away_is_answered_in_the_end() -> None:
    bench = Bench(audit=AwayLog(times=30))
    message = inbound("ping")

    for _ in range(30):
        with pytest.raises(StorageUnavailable):
            await bench.router.respond(message)

    assert (await bench.router.respond(message))[0].startswith("OK ping")


# --- long replies ---------------------------------------------------------------------


def plugin(lines: tuple[str, ...]) -> Command:
    async def run(_: Call) -> Reply:
        return Reply(outcome=CommandOutcome.CONFIRMED, lines=lines)

    return Command(name="long", help="", run=run)


async def test_a_long_reply_comes_in_three_numbered_parts_then_more() -> None:
    lines = tuple(f"line {i} " + "\u20ac" * 20 for i in range(30))
    bench = Bench(plugins=(plugin(lines),), max_reply_bytes=300)

    pages = [await bench.router.respond(inbound("long"))]
    while "type more" in pages[-1][-1]:
        pages.append(await bench.router.respond(inbound("more")))

    assert all(byte_length(part) <= 300 for page in pages for part in page)
    assert all(len(page) == 3 for page in pages[:-1])
    assert [part[:6] for part in pages[0]] == ["(1/3) ", "(2/3) ", "(3/3) "]
    whole = "\n".join(part for page in pages for part in page)
    assert all(whole.count(line) == 1 for line in lines)


@pytest.mark.parametrize("text", ["\U0001f44d\U0001f3fd" * 2000, "word " * 2000, "x" * 65536])
async def test_one_very_long_line_is_paged_too(text: str) -> None:
    bench = Bench(plugins=(plugin((text,)),))

    first = await bench.router.respond(inbound("long"))
    second = await bench.router.respond(inbound("more"))

    assert len(first) == len(second) == 3
    assert all(byte_length(part) <= 700 for part in (*first, *second))


async def test_the_rest_is_kept_for_each_caller() -> None:
    bench = Bench(plugins=(plugin(("x" * 600,) * 10),))
    await bench.say("long")

    other = await bench.say("more", peer="sip:102@office.example")
    own = await bench.say("more")

    assert other.startswith("ERR more (there is no more)")
    assert "OK more" in own


async def test_another_reply_takes_the_place_of_the_rest() -> None:
    bench = Bench(plugins=(plugin(("x" * 600,) * 10),))
    await bench.say("long")
    await bench.say("ping")

    assert (await bench.say("more")).startswith("ERR more")


async def test_a_mistyped_command_does_not_lose_the_rest() -> None:
    bench = Bench(plugins=(plugin(("x" * 600,) * 10),))
    await bench.say("long")
    await bench.say("mroe")

    assert "OK more" in await bench.say("more")


# --- any text -------------------------------------------------------------------------

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
