"""The guard on dialling: which numbers, how often, for whom."""

from datetime import timedelta

import pytest

from gateway.caller import Caller, Origin
from gateway.config import Phone
from gateway.microsip.guard import DialGuard
from gateway.numbers import NumberRules
from gateway.phone import CommandEntry, PhoneCommand, PhoneRequest, Verb
from gateway.store.audit import SqlCommandLog
from tests.fakes import NOON, FakeClock

ANNA, CRM, CLI = "sip:101@office.example", "token:crm", "token:cli"


def guard(command_log: SqlCommandLog, phone: Phone, clock: FakeClock) -> DialGuard:
    return DialGuard(rules=NumberRules(), phone=phone, command_log=command_log, clock=clock)


def asks(who: str, verb: Verb = Verb.DIAL, number: str = "1002") -> PhoneRequest:
    caller = Caller(who=who, proof="test", origin=Origin.SIP)
    command = PhoneCommand(verb, (number,) if number else ())
    return PhoneRequest(command=command, caller=caller, text=str(command))


async def dialled(command_log: SqlCommandLog, *whose: str) -> None:
    for number, who in enumerate(whose):
        await command_log.begin(
            CommandEntry(
                id=f"cmd_{who}_{number}",
                at=NOON,
                who=who,
                proof="test",
                origin=Origin.SIP,
                text="dial 1002",
                verb=Verb.DIAL,
            )
        )


@pytest.mark.parametrize("who", [ANNA, CRM, CLI])
async def test_each_caller_has_the_calls_of_an_hour(
    command_log: SqlCommandLog, who: str
) -> None:
    clock = FakeClock()
    guarded = guard(command_log, Phone(sender_calls_per_hour=2), clock)
    await dialled(command_log, who, who)

    own = await guarded.refusal(asks(who))
    of_another = await guarded.refusal(asks("sip:109@office.example"))
    clock.advance(timedelta(hours=1, seconds=1))

    assert own == (
        "2 calls of yours in the last hour; [phone] sender_calls_per_hour allows 2:"
        " try again later"
    )
    assert of_another == await guarded.refusal(asks(who)) == ""


async def test_all_callers_share_the_calls_of_an_hour(command_log: SqlCommandLog) -> None:
    guarded = guard(command_log, Phone(calls_per_hour=3), FakeClock())
    await dialled(command_log, ANNA, CRM, CLI)

    refusal = await guarded.refusal(asks("sip:109@office.example"))

    assert "3 calls in the last hour; [phone] calls_per_hour allows 3" in refusal


async def test_no_caller_uses_up_the_calls_of_all_by_default(
    command_log: SqlCommandLog,
) -> None:
    guarded = guard(command_log, Phone(), FakeClock())
    await dialled(command_log, *[ANNA] * Phone().sender_calls_per_hour)

    assert await guarded.refusal(asks(ANNA))
    assert not await guarded.refusal(asks(CRM))


@pytest.mark.parametrize("verb", [Verb.DIAL, Verb.CALLTO, Verb.TRANSFER])
async def test_every_way_to_dial_is_guarded(command_log: SqlCommandLog, verb: Verb) -> None:
    guarded = guard(command_log, Phone(calls_per_hour=0), FakeClock())

    assert "deny_numbers" in await guarded.refusal(asks(ANNA, verb, "0044123"))
    assert "calls_per_hour" in await guarded.refusal(asks(ANNA, verb))
    assert not await guarded.refusal(asks(ANNA, Verb.HANGUP, ""))
