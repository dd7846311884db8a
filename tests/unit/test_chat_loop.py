"""What is not answered."""

from dataclasses import dataclass

import pytest

from gateway.chat.router import HINT
from gateway.errors import StorageUnavailable
from gateway.phone import CommandEntry, CommandOutcome
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
    assert bench.phone.commands == ["dial 1002"] * 2  # of the other, then later
    assert other.startswith("OK")
    assert later.startswith("OK")


async def test_a_peer_gets_twenty_replies_a_minute() -> None:
    bench = Bench()

    replies = [await bench.say("ping") for _ in range(25)]
    wanted = bench.wants("ping")
    other = bench.wants("ping", peer="sip:102@office.example")
    bench.clock.move(minutes=1)

    assert [reply != "" for reply in replies] == [True] * 20 + [False] * 5
    assert (wanted, other, bench.wants("ping")) == (True, True, True)


async def test_what_a_loop_keeps_from_being_run_is_in_the_audit() -> None:
    bench = Bench()
    for _ in range(20):
        await bench.say("ping")
    message = inbound("dial 1002")

    replies = [await bench.router.respond(message) for _ in range(2)]

    entries = [entry for entry in bench.audit.entries.values() if entry.verb == "dial"]
    assert (replies, bench.phone.requests) == ([(), ()], [])
    assert [(entry.message_id, entry.outcome) for entry in entries] == [
        (message.id, CommandOutcome.REFUSED)
    ]
    assert "20 replies in a minute" in entries[0].detail


async def test_an_echoed_command_is_refused_in_the_audit() -> None:
    bench = Bench()
    bench.archive.messages.append(outbound("dial 1002"))
    bench.clock.move(seconds=30)

    await bench.say("dial 1002")

    assert (bench.audited.verb, bench.audited.outcome) == ("dial", CommandOutcome.REFUSED)
    assert "repeats our words" in bench.audited.detail


async def test_a_peer_that_had_enough_replies_earns_no_hint() -> None:
    bench = Bench()
    for _ in range(20):
        await bench.say("ping")

    assert not bench.wants("good morning")


async def test_a_message_tried_again_while_the_store_is_away_is_answered_in_the_end() -> None:
    bench = Bench(audit=AwayLog(times=30))
    message = inbound("ping")

    for _ in range(30):
        with pytest.raises(StorageUnavailable):
            await bench.router.respond(message)

    assert (await bench.router.respond(message))[0].startswith("OK ping")
