"""What [Calls] of microsip.ini adds to the flow of calls."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.call import CallOutcome
from gateway.call_log import CallQuery
from tests.fakes import NOON
from tests.flow.call_stage import Desk, Surroundings, beside_microsip, sent
from tests.flow.stage import Stage

SECOND = timedelta(seconds=1)


@pytest.fixture
def around() -> Surroundings:
    return Surroundings()


@pytest.fixture
async def desk(stage: Stage, tmp_path: Path, around: Surroundings) -> AsyncIterator[Desk]:
    async with beside_microsip(stage, tmp_path / "hook", around) as desk:
        yield desk


def records(ini: Path, *values: str) -> None:
    lines = "".join(f"{key}={value}\r\n" for key, value in enumerate(values))
    ini.write_bytes(f"[Settings]\r\na=1\r\n[Calls]\r\n{lines}".encode("utf-16"))


AT = f"{NOON.timestamp():.0f}"


@pytest.fixture
def ini(tmp_path: Path, around: Surroundings) -> Path:
    around.ini = tmp_path / "microsip.ini"
    return around.ini


async def test_a_call_of_the_hooks_gets_its_name_from_its_record(ini: Path, desk: Desk) -> None:
    call = await desk.told("incoming", "ring")
    records(ini, f"555;Anna;1;{AT};0;")

    (seen,) = await desk.calls.recent()

    assert (seen.id, seen.name, seen.sources) == (call.id, "Anna", ("hook", "ini"))
    assert (await desk.stored()).call == seen


async def test_a_lost_end_is_told_by_the_record(ini: Path, desk: Desk) -> None:
    await desk.told("incoming", "ring")
    records(ini, f"555;555;2;{AT};0;Missed")
    await desk.calls.look()
    named = (await desk.stored()).call
    desk.stage.clock.advance(5 * SECOND)

    await desk.calls.look()

    assert named.ended_at is None
    assert (await desk.stored()).call.outcome is CallOutcome.MISSED
    assert 'missed call from 555 at 12:00: type "dial 555"' in await sent(desk, 2)


@pytest.mark.parametrize("known_before", [True, False], ids=["read-before", "read-then"])
@pytest.mark.parametrize(
    ("kind", "hook_kind", "outcome"),
    [("3", "end", "elsewhere"), ("2", "busy", "missed")],
    ids=["answered-elsewhere", "declined"],
)
async def test_a_recorded_end_waits_for_its_hook_and_is_no_missed_call(
    ini: Path, desk: Desk, *, known_before: bool, kind: str, hook_kind: str, outcome: str
) -> None:
    await desk.told("incoming", "ring")
    records(ini, f"555;555;{kind};{AT};0;x")
    if known_before:
        await desk.calls.look()
    desk.hand_over(hook_kind)
    ended = (await desk.stored()).call
    while not ended.ended_at:
        ended = (await desk.stored()).call
    desk.stage.clock.advance(timedelta(minutes=1))
    await desk.calls.look()

    assert ended.outcome == outcome
    assert desk.log.stored.empty()
    assert await sent(desk, 1) == ['call from 555: type "answer" or "reject"']


async def test_a_record_between_two_hooks_does_not_silence_the_second(
    ini: Path, desk: Desk
) -> None:
    await desk.told("incoming")
    records(ini, f"555;555;1;{AT};0;")
    await desk.calls.look()
    await desk.stored()

    call = await desk.told("ring")

    assert call.rang_at
    assert await sent(desk, 1) == ['call from 555: type "answer" or "reject"']


async def test_calls_of_before_are_taken_from_the_records_once(
    ini: Path, stage: Stage, tmp_path: Path, around: Surroundings
) -> None:
    values = [f"{number};{number};0;{1_700_000_000 + number};9;x" for number in range(250)]
    records(ini, *values, "null", "rubbish")
    async with beside_microsip(stage, tmp_path / "hook", around) as desk:
        await desk.calls.look()
        await desk.told("outgoing", "end", user="999")

    async with beside_microsip(stage, tmp_path / "hook", around) as desk:
        await desk.calls.look()
        await desk.told("outgoing", "end", user="999")
        found = await desk.log.calls(CallQuery(limit=300))

    assert len(found) == 252
    assert await stage.store.queue_depth() == 0


async def test_a_call_that_only_its_record_tells_goes_on_and_ends(
    ini: Path, desk: Desk
) -> None:
    records(ini, f"555;555;0;{AT};0;")
    await desk.calls.look()
    begun = (await desk.stored()).call
    records(ini, f"555;Anna;0;{AT};62;Call ended")

    await desk.calls.look()

    ended = (await desk.stored()).call
    assert (ended.id, ended.outcome, ended.name) == (begun.id, CallOutcome.ANSWERED, "Anna")
    assert await desk.stage.store.queue_depth() == 0


async def test_a_file_that_is_being_written_is_read_later(ini: Path, desk: Desk) -> None:
    records(ini, f"555;555;0;{AT};0;", f"666;666;0;{AT};0;")
    await desk.calls.look()
    records(ini, f"555;555;0;{AT};0;")
    await desk.calls.look()
    desk.around.ini = ini.with_name("not there")
    await desk.calls.look()
    desk.around.ini = ini
    records(ini, f"555;555;0;{AT};0;", f"666;666;0;{AT};5;x")

    await desk.calls.look()

    stored = [(await desk.stored()).call for _ in range(3)]
    assert [(call.peer, call.outcome) for call in stored] == [
        ("555", None),
        ("666", None),
        ("666", CallOutcome.ANSWERED),
    ]
