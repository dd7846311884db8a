"""Replies that are longer than a message."""

import pytest

from gateway.chat.command import Call, Command, Reply
from gateway.phone import CommandOutcome
from gateway.split import byte_length
from tests.unit.chat_bench import Bench
from tests.unit.chat_fakes import inbound


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
