"""Events of MicroSIP's hooks in, calls and chat notices out."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.address import Aor
from gateway.call import CallOutcome
from gateway.calls import CallSettings
from gateway.errors import ConfigError
from gateway.microsip.hook_listener import HookListener
from tests.fakes import NOON
from tests.flow.call_stage import ANNA, Desk, Surroundings, beside_microsip, sent
from tests.flow.stage import AT_ONCE, Stage
from tests.unit.call_stories import hook

SECOND = timedelta(seconds=1)


@pytest.fixture
def around() -> Surroundings:
    return Surroundings()


@pytest.fixture
async def desk(stage: Stage, tmp_path: Path, around: Surroundings) -> AsyncIterator[Desk]:
    async with beside_microsip(stage, tmp_path / "hook", around) as desk:
        yield desk


async def test_a_hooks_datagram_is_a_call(desk: Desk) -> None:
    call = await desk.told("incoming")

    assert (call.peer, call.started_at) == ("555", NOON)
    assert list(await desk.kept()) == [call]
    assert list(await desk.calls.recent()) == [call]


async def test_a_missed_call_is_told_while_it_rings_and_after_it(desk: Desk) -> None:
    call = await desk.told("incoming", "ring", "end")

    assert call.outcome is CallOutcome.MISSED
    assert await sent(desk, 2) == [
        'call from 555: type "answer" or "reject"',
        'missed call from 555 at 12:00: type "dial 555"',
    ]
    assert {delivery.to_uri for delivery in desk.stage.sender.sent} == {ANNA}


async def test_a_call_that_is_rejected_by_command_is_no_missed_one(desk: Desk) -> None:
    await desk.told("incoming", "ring")
    desk.calls.declining()

    rejected = await desk.told("end")
    await desk.told("incoming", "ring", "end", user="666")

    assert rejected.outcome is CallOutcome.MISSED
    assert [body.partition(":")[0] for body in await sent(desk, 3)] == [
        "call from 555",
        "call from 666",
        "missed call from 666 at 12",
    ]


async def test_a_reject_that_failed_hides_no_missed_call(desk: Desk) -> None:
    await desk.told("incoming", "ring")
    desk.calls.declining()
    desk.stage.clock.advance(timedelta(seconds=20))

    await desk.told("end")

    assert (await sent(desk, 2))[1].startswith("missed call from 555")


async def test_a_call_that_was_answered_or_declined_is_no_missed_one(desk: Desk) -> None:
    await desk.told("incoming", "ring", "answer", "start", "end")
    await desk.told("incoming", "ring", "busy", user="666")
    await desk.told("outgoing", "busy", user="777")

    await desk.told("incoming", "ring", "end", user="888")

    assert [body.partition(" from ")[0] for body in await sent(desk, 4)] == [
        "call",
        "call",
        "call",
        "missed call",
    ]


async def test_a_ringing_notice_is_worth_nothing_after_a_minute(desk: Desk) -> None:
    desk.stage.sender.script(ANNA, None)
    await desk.told("incoming", "ring")

    (delivery,) = await desk.stage.sender.until_sent(1)

    assert delivery.expires_at == NOON + 61 * SECOND


async def test_a_datagram_that_comes_twice_is_one_event(desk: Desk) -> None:
    first = desk.hand_over("incoming")
    await desk.stored()
    ring = desk.hand_over("ring")
    await desk.stored()
    desk.send(first)
    desk.send(ring)

    await desk.told("end")

    assert len(await sent(desk, 2)) == 2
    assert len(await desk.kept()) == 1


async def test_an_unsigned_datagram_is_refused_with_one_line(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(5):
            desk.send(b"sip-gateway-event 1 0 0123456789abcdef incoming - 00")
        desk.send(b"\xff" * 2000)
        await desk.told("incoming")

        desk.stage.clock.advance(timedelta(minutes=1))
        desk.send(b"GET / HTTP/1.1")
        await desk.told("ring")

    assert len(await desk.kept()) == 1
    first, second = [record.getMessage() for record in caplog.records]
    assert first.endswith("refused: 1 its authentication code is wrong")
    assert "4 its authentication code is wrong; 1 longer" in second
    assert second.endswith("1 not of a hook program")


async def test_a_user_part_of_any_length_is_cut(desk: Desk) -> None:
    call = await desk.told("incoming", user="é" * 300)

    assert call.peer == "é" * 256


async def test_of_an_outgoing_call_nobody_is_told(desk: Desk) -> None:
    await desk.told("outgoing", "start", "end")

    assert await desk.stage.store.queue_depth() == 0


@pytest.mark.parametrize(
    "around",
    [
        pytest.param(Surroundings(notify=()), id="nobody"),
        pytest.param(Surroundings(own=frozenset({Aor(ANNA)})), id="oneself"),
        pytest.param(Surroundings(notices="0.001/0"), id="too-often"),
    ],
)
async def test_some_are_never_told(desk: Desk) -> None:
    await desk.told("incoming", "ring", "end")

    assert await desk.stage.store.queue_depth() == 0
    assert len(await desk.kept()) == 1


async def test_calls_wait_for_a_database_that_is_away(desk: Desk) -> None:
    desk.log.outages = 3
    desk.hand_over("incoming")
    desk.hand_over("ring")
    first = await desk.stored()

    second = await desk.stored()

    assert first.call.rang_at is None
    assert [call.rang_at for call in await desk.kept()] == [second.call.rang_at]
    assert await sent(desk, 1) == ['call from 555: type "answer" or "reject"']


@pytest.mark.parametrize(
    "around",
    [
        Surroundings(
            settings=CallSettings(
                look_every=timedelta(days=1), most_waiting=2, patience=AT_ONCE
            )
        )
    ],
    ids=["two"],
)
async def test_only_so_much_waits_for_the_database(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        for user in ("1", "2", "3"):
            desk.calls.take(hook("incoming", user))
    stored = [(await desk.stored()).call.peer for _ in range(2)]

    after = await desk.told("ring", user="3")

    assert stored == ["1", "2"]
    assert "the database is away for too long" in caplog.text
    assert (after.started_at, after.rang_at) == (NOON, NOON)


async def test_a_lost_acknowledgement_tells_nobody_twice(desk: Desk) -> None:
    desk.log.unacknowledged = 1
    await desk.told("incoming", "ring", "end")

    bodies = await sent(desk, 2)

    assert len(bodies) == len(set(bodies)) == 2


async def test_a_call_that_never_rings_ends_by_itself(desk: Desk) -> None:
    await desk.told("incoming")
    desk.stage.clock.advance(timedelta(seconds=10))

    await desk.calls.look()

    ended = await desk.stored()
    assert ended.call.outcome is CallOutcome.TURNED_AWAY
    assert await desk.stage.store.queue_depth() == 0


async def test_the_calls_of_a_microsip_that_died_end(desk: Desk) -> None:
    await desk.told("incoming", "ring", "answer")
    desk.around.ended_before = desk.stage.clock()

    await desk.calls.look()

    assert (await desk.stored()).call.outcome is CallOutcome.UNKNOWN


async def test_a_clock_that_was_set_back_ends_no_call(desk: Desk) -> None:
    begun = await desk.told("incoming", "ring")
    desk.around.ended_before = desk.stage.clock() + timedelta(hours=1)

    await desk.calls.look()

    assert list(await desk.calls.recent()) == [begun]


async def test_a_gateway_that_starts_again_goes_on_with_its_calls(
    stage: Stage, tmp_path: Path
) -> None:
    async with beside_microsip(stage, tmp_path) as before:
        begun = await before.told("incoming", "ring")
    async with beside_microsip(stage, tmp_path) as after:
        ended = await after.told("answer", "start", "end")

        assert ended.id == begun.id
        assert ended.outcome is CallOutcome.ANSWERED
        assert list(await after.kept()) == [ended]


async def test_a_gateway_that_stops_stores_what_it_was_told(
    stage: Stage, tmp_path: Path
) -> None:
    settings = CallSettings(look_every=timedelta(days=1), grace=timedelta(seconds=5))
    around = Surroundings(settings=settings)
    async with beside_microsip(stage, tmp_path, around) as desk:
        desk.log.outages = 1
        desk.hand_over("incoming")
        async with asyncio.timeout(5):
            await desk.log.missed.wait()

    assert [call.peer for call in await desk.kept()] == ["555"]


async def test_a_call_is_forgotten_a_minute_after_its_end(desk: Desk) -> None:
    first = await desk.told("outgoing", "end")
    desk.stage.clock.advance(timedelta(seconds=30))
    second = await desk.told("outgoing")

    both = await desk.calls.recent()
    desk.stage.clock.advance(timedelta(seconds=31))
    one = await desk.calls.recent()

    assert list(both) == [second, first]
    assert list(one) == [second]


async def test_a_folder_that_cannot_be_written_is_told(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("a file")
    listener = HookListener(folder=tmp_path / "hook", take=print, clock=stage.clock)

    with pytest.raises(ConfigError, match="hook cannot be written"):
        async with listener:
            pass
