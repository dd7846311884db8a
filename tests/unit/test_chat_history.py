"""Reading the history in the chat."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gateway.caller import Permission
from gateway.chat.history import message_line
from gateway.config import ChatRule
from gateway.message import FinalResponse, Flag, Message, Status
from gateway.phone import CommandOutcome
from tests.unit.chat_bench import BERLIN, Bench
from tests.unit.chat_fakes import START, FakeArchive, inbound, outbound

YESTERDAY = START - timedelta(days=1)
OTHER = "sip:102@office.example"
OWN = (ChatRule(who=("*",), allow=("history:own",)),)


def archive() -> FakeArchive:
    return FakeArchive(
        [
            inbound("the printer is broken", at=YESTERDAY),
            outbound("printer works again", peer=OTHER, at=YESTERDAY),
            inbound("lunch?", peer=OTHER, at=START - timedelta(hours=1)),
        ]
    )


async def test_find_lists_what_matches_newest_first() -> None:
    bench = Bench(archive=archive())

    reply = await bench.say("find PRINTER")

    first, *lines = reply.split("\n")
    assert first.startswith("OK find (2 messages, newest first) #")
    assert lines == [
        "2026-11-03 10:30 -> 102@office.example: printer works again (queued)",
        "2026-11-03 10:30 <- 101@office.example: the printer is broken",
    ]


async def test_find_without_a_match_says_so() -> None:
    bench = Bench(archive=archive())

    assert (await bench.say("find copier")).startswith("OK find (nothing found) #")


async def test_find_does_not_find_itself() -> None:
    bench, asking = Bench(archive=archive()), inbound("find copier")
    bench.archive.messages.append(asking)

    reply = await bench.router.respond(asking)

    assert reply[0].startswith("OK find (nothing found) #")


async def test_an_earlier_find_is_found() -> None:
    bench, asking = Bench(archive=archive()), inbound("find copier")
    bench.archive.messages += [inbound("find copier"), asking]

    reply = await bench.router.respond(asking)

    assert "OK find (1 message, newest first)" in reply[0]


@pytest.mark.parametrize(
    ("text", "later", "ends_with"),
    [
        pytest.param("history 1", 0, "lunch?\n(type more for the rest)", id="one"),
        pytest.param("history 2", 0, "again (queued)\n(type more for the rest)", id="two"),
        pytest.param("history 3", 0, "the printer is broken", id="all"),
        pytest.param("history 4", 0, "the printer is broken", id="more than all"),
        pytest.param("history 4", 1, "the printer is broken", id="all with a later one"),
        pytest.param("history 3", 1, "again (queued)\n(type more for the rest)", id="later"),
    ],
)
async def test_history_counts_without_the_message_that_asks(
    text: str, later: int, ends_with: str
) -> None:
    rules = (ChatRule(who=("*",), allow=("history:all",)),)
    bench, asking = Bench(archive=archive(), rules=rules), inbound(text)
    everybody = [replace(message, peer=asking.peer) for message in bench.archive.messages]
    bench.archive.messages = [*everybody, asking, *[inbound("later")] * later]

    reply = "\n".join(await bench.router.respond(asking))

    assert f": {text}" not in reply
    assert reply.endswith(ends_with)


async def test_a_message_that_asks_is_not_on_a_later_page_either() -> None:
    bench, asking = Bench(archive=archive()), inbound("find limit:1")
    bench.archive.messages += [asking, inbound("later")]

    first = "\n".join(await bench.router.respond(asking))
    second = await bench.say("more")

    assert "later" in first
    assert "OK find (1 message, newest first)" in second
    assert "lunch?" in second


async def test_a_query_that_cannot_be_read_says_what_to_type() -> None:
    bench = Bench(archive=archive())

    reply = await bench.say("find form:102")

    assert reply.startswith("ERR find form:102 (there is no key form:; type from:1001")
    assert bench.audited.outcome is CommandOutcome.FAILED


@pytest.mark.parametrize("text", ["find printer", "history", "history 101", "history 101 20"])
async def test_history_own_is_limited_to_the_callers_messages(text: str) -> None:
    bench = Bench(rules=OWN, archive=archive())

    reply = await bench.say(text)

    assert "the printer is broken" in reply
    assert "102" not in reply


async def test_history_own_refuses_the_messages_of_others() -> None:
    bench = Bench(rules=OWN, archive=archive())

    reply = await bench.say("history 102")

    assert reply.startswith("NO history 102 (you may read your own messages only) #")
    assert 'allow = ["history:all"]' in reply
    assert bench.audited.outcome is CommandOutcome.REFUSED


@pytest.mark.parametrize("peer", ["102", "102@office.example", "sip:102@OFFICE.example"])
async def test_history_of_a_peer(peer: str) -> None:
    bench = Bench(archive=archive())

    reply = await bench.say(f"history {peer} 1")

    assert "OK history (1 message, newest first)" in reply
    assert "09:30 <- 102@office.example: lunch?" in reply


async def test_a_lone_short_number_is_a_count_and_a_longer_one_a_peer() -> None:
    bench = Bench(archive=archive())

    count = await bench.ask("history 2", Permission.HISTORY_ALL)
    peer = await bench.ask("history 102", Permission.HISTORY_ALL)

    assert ("lunch?" in count, "the printer is broken" in count) == (True, False)
    assert peer.startswith("OK history (2 messages, newest first)")


@pytest.mark.parametrize(
    "text", ["history 0", "history 101 201", "history 101 x", "history a b c", "history a@@b"]
)
async def test_a_wrong_count_says_what_to_type(text: str) -> None:
    bench = Bench()

    assert "type: history 1002 20" in await bench.say(text)


async def test_a_token_has_no_history_of_its_own() -> None:
    bench = Bench(archive=archive())

    reply = await bench.ask("find lunch", Permission.HISTORY_OWN)

    assert reply.startswith(
        "ERR find lunch (a token has no messages of its own; it needs messages"
    )


async def test_more_brings_older_messages_until_there_are_none() -> None:
    bench = Bench(archive=archive())

    first = await bench.say("find limit:2")
    second = await bench.say("more")
    third = await bench.say("more")

    assert first.endswith("(type more for the rest)")
    assert second.startswith("OK find (1 message, newest first)")
    assert "the printer is broken" in second
    assert third.startswith("ERR more (there is no more)")


async def test_more_over_rest_goes_on_too() -> None:
    bench = Bench(archive=archive())
    await bench.ask("find limit:1", Permission.HISTORY_ALL)

    reply = await bench.ask("more", Permission.HISTORY_ALL)

    assert "printer works again" in reply


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (inbound("hi"), "10:30 <- 101@office.example: hi"),
        (inbound("a\r\n\x1b[31mb"), "10:30 <- 101@office.example: a ?[31mb"),
        (inbound("x" * 500), f"10:30 <- 101@office.example: {'x' * 157}..."),
        (
            inbound("hi", at=datetime(2026, 11, 3, 23, 30, tzinfo=UTC)),
            "00:30 <- 101@office.example: hi",
        ),
        (
            inbound("hi", at=datetime(2026, 11, 3, 22, 30, tzinfo=UTC)),
            "2026-11-03 23:30 <- 101@office.example: hi",
        ),
        (
            outbound("hi", status=Status.DELIVERED),
            "10:30 -> 101@office.example: hi",
        ),
    ],
    ids=["in", "hostile", "long", "today here", "yesterday here", "out"],
)
def test_a_message_is_one_line(message: Message, expected: str) -> None:
    assert message_line(message, START.astimezone(BERLIN)) == expected


def test_a_line_shows_what_is_out_of_the_ordinary() -> None:
    message = replace(
        outbound("hi", status=Status.FAILED),
        response=FinalResponse(404, "Not Found"),
        flags=frozenset({Flag.RESENT}),
        content_type="image/png",
    )

    line = message_line(message, START.astimezone(BERLIN))

    assert line == "10:30 -> 101@office.example: [image/png] hi (failed 404 resent)"
