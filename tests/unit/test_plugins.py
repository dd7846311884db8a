"""Plug-ins: the example works, and a broken one harms nobody else."""

import asyncio
import logging
from importlib.metadata import EntryPoint

import pytest

from gateway.chat.command import Call, Command, Reply
from gateway.chat.plugins import GROUP, contained, load_plugins
from gateway.config import ChatRule
from gateway.phone import CommandOutcome
from tests.unit.chat_bench import Bench
from tests.unit.chat_fakes import inbound


def entry_point(function: str, name: str = "example") -> EntryPoint:
    return EntryPoint(name, f"tests.unit.chat_plugin:{function}", GROUP)


def loaded(*functions: str) -> Bench:
    return Bench(plugins=load_plugins([entry_point(function) for function in functions]))


async def test_a_plug_in_adds_a_command() -> None:
    bench = loaded("commands")

    reply = await bench.say("who 101")

    assert reply.startswith("OK who 101 (Ada) #")
    assert (bench.audited.verb, bench.audited.outcome) == ("who", CommandOutcome.CONFIRMED)


async def test_a_plug_ins_command_has_aliases_help_and_errors_of_its_own() -> None:
    bench = loaded("commands")

    assert (await bench.say("whois 102")).startswith("OK who 102 (Grace)")
    assert "who EXTENSION - Whose extension it is." in await bench.say("help who")
    assert (await bench.say("who")).startswith(
        "ERR who (who takes an extension; type: who 101)"
    )
    assert "who" in (await bench.say("help")).split()


async def test_a_plug_ins_command_is_allowed_by_rules_as_others_are() -> None:
    bench = Bench(
        plugins=load_plugins([entry_point("commands")]),
        rules=(ChatRule(who=("*",), allow=("who",), args=("101",)),),
    )

    allowed, denied = await bench.say("who 101"), await bench.say("who 102")

    assert allowed.startswith("OK who 101")
    assert denied.startswith("NO who 102 (not allowed with this argument)")


async def test_a_plug_ins_command_runs_once_for_a_message() -> None:
    bench = loaded("commands")
    message = inbound("who 101")

    await bench.router.respond(message)
    bench.restart()
    again = await bench.router.respond(message)

    assert again[0].startswith("OK who 101 (Ada)")
    assert len(bench.audit.entries) == 1


@pytest.mark.parametrize("text", ["breaks 1", "mumbles 1"])
async def test_a_command_that_breaks_is_answered_and_logged(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench = loaded("broken_commands")

    reply = await bench.say(text)
    after = await bench.say("ping")

    assert reply.startswith(
        f"ERR {text} (the plug-in example failed; the gateway's log says why)"
    )
    assert after.startswith("OK ping")
    assert "plug-in example" in caplog.text


async def test_a_command_whose_argument_no_rule_can_see_is_not_run() -> None:
    bench = loaded("broken_commands")

    reply = await bench.say("stumbles 101")

    assert reply.startswith("ERR stumbles 101 (the plug-in example failed)")


async def test_a_command_that_hangs_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async def hang(_: Call) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError

    hanging = contained("example", Command(name="hangs", help="", run=hang), time_limit=0.01)
    bench = Bench(plugins=(hanging,))

    assert (await bench.say("hangs")).startswith("ERR hangs (the plug-in example failed")
    assert "TimeoutError" in caplog.text


@pytest.mark.parametrize("function", ["broken", "no_commands", "badly_named", "absent"])
def test_a_plug_in_that_does_not_load_is_logged_and_left_out(
    function: str, caplog: pytest.LogCaptureFixture
) -> None:
    points = [entry_point(function, "bad"), entry_point("commands", "good")]

    commands = load_plugins(points)

    assert [command.name for command in commands] == ["who"]
    assert [record.getMessage() for record in caplog.records] == ["plug-in bad failed"]


def test_a_plug_in_cannot_take_a_built_in_commands_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def ping(_: Call) -> Reply:
        raise AssertionError

    with caplog.at_level(logging.WARNING):
        bench = Bench(plugins=(Command(name="ping", help="", run=ping),))

    reply = asyncio.run(bench.say("ping"))
    assert reply.startswith("OK ping (pong)")
    assert "command ping of a plug-in has a name that is taken" in caplog.text


async def test_cancelling_the_gateway_is_not_held_up_by_a_plug_in() -> None:
    begun = asyncio.Event()

    async def wait(_: Call) -> Reply:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    bench = Bench(plugins=(contained("example", Command(name="waits", help="", run=wait)),))
    task = asyncio.create_task(bench.say("waits"))
    await begun.wait()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
