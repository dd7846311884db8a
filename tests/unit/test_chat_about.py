"""The commands about the gateway itself, with what a mistyped verb is told."""

import pytest

from gateway.caller import Permission
from gateway.config import ChatRule
from gateway.phone import CommandOutcome
from tests.unit.chat_bench import Bench


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

    assert "\nphone:read: status calls\n" in reply
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
