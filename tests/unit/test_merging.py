"""One status of MicroSIP: who told which fact, and who is believed."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.call import Call, CallDirection
from gateway.microsip.merging import merge
from gateway.microsip.observation import Observation
from gateway.microsip.settings_in_use import SettingsInUse, read_settings
from gateway.phone_status import Look, PhoneState, PhoneStatus, Seen
from tests.fakes import NOON

BEFORE, LATER = NOON - timedelta(minutes=3), NOON + timedelta(milliseconds=20)
IDLE, RINGING, DIALING, ACTIVE, HELD, UNKNOWN = (
    PhoneState.IDLE,
    PhoneState.RINGING,
    PhoneState.DIALING,
    PhoneState.ACTIVE,
    PhoneState.HELD,
    PhoneState.UNKNOWN,
)
INCOMING, OUTGOING = CallDirection.INCOMING, CallDirection.OUTGOING


def call(
    direction: CallDirection,
    peer: str,
    *,
    started: datetime = BEFORE,
    answered: datetime | None = None,
    ended: datetime | None = None,
    sources: tuple[str, ...] = ("hook",),
) -> Call:
    return Call(
        id=f"call_{peer}",
        direction=direction,
        peer=peer,
        started_at=started,
        answered_at=answered,
        ended_at=ended,
        sources=sources,
    )


def window(*states: PhoneState, calls: tuple[Call, ...] = (), **shown: object) -> Observation:
    look = Look(states=frozenset(states), **shown)  # type: ignore[arg-type]
    return Observation(None, look.states, at=NOON, look=look, calls=calls)


def status(seen: Observation, settings: SettingsInUse | None = None) -> PhoneStatus:
    return merge(seen, settings, channel="copydata", now=LATER)


def state(seen: Observation) -> tuple[PhoneState, str, datetime]:
    told = status(seen)
    return told.state, told.source, told.observed_at


TALKS = call(OUTGOING, "1002", answered=BEFORE)
OVER = replace(TALKS, ended_at=BEFORE)
STATES = [
    pytest.param(window(ACTIVE), (ACTIVE, "window", NOON), id="the window alone"),
    pytest.param(window(), (UNKNOWN, "copydata", NOON), id="nobody knows"),
    pytest.param(
        window(ACTIVE, calls=(OVER,)), (ACTIVE, "window", NOON), id="an older end: the window"
    ),
    pytest.param(
        window(IDLE, calls=(TALKS,)), (IDLE, "window", NOON), id="the end's hook was lost"
    ),
    pytest.param(
        window(ACTIVE, calls=(replace(TALKS, ended_at=LATER),)),
        (IDLE, "hook", LATER),
        id="a newer end: the hook",
    ),
    pytest.param(
        window(RINGING, calls=(call(INCOMING, "555", answered=LATER),)),
        (ACTIVE, "hook", LATER),
        id="a newer answer: the hook",
    ),
    pytest.param(window(calls=(TALKS,)), (ACTIVE, "hook", BEFORE), id="hooks alone: up"),
    pytest.param(
        window(calls=(call(INCOMING, "555"),)),
        (RINGING, "hook", BEFORE),
        id="hooks alone: rings",
    ),
    pytest.param(
        window(calls=(call(OUTGOING, "1002", sources=("ini",)),)),
        (DIALING, "ini", BEFORE),
        id="a record alone",
    ),
    pytest.param(window(calls=(OVER,)), (IDLE, "hook", BEFORE), id="hooks alone: over"),
    pytest.param(
        Observation("In call", frozenset({ACTIVE}), at=NOON),
        (ACTIVE, "copydata", NOON),
        id="its own words",
    ),
    pytest.param(
        Observation("Gespräch", at=NOON, calls=(TALKS,)),
        (ACTIVE, "hook", BEFORE),
        id="words that say nothing",
    ),
]


@pytest.mark.parametrize(("seen", "told"), STATES)
def test_the_state_is_told_by_who_can_prove_it(
    seen: Observation, told: tuple[PhoneState, str, datetime]
) -> None:
    assert state(seen) == told


PEERS = [
    pytest.param(
        window(ACTIVE, calls=(TALKS,)),
        Seen("1002", "hook", BEFORE),
        OUTGOING,
        BEFORE,
        id="of the call that is up",
    ),
    pytest.param(
        window(ACTIVE, number="1002"),
        Seen("1002", "window", NOON),
        None,
        None,
        id="in the number field",
    ),
    pytest.param(
        window(RINGING, peer="555", calls=(call(INCOMING, "555"),)),
        Seen("555", "window", NOON),
        INCOMING,
        BEFORE,
        id="in the ringing window",
    ),
    pytest.param(
        window(RINGING, peer="555"),
        Seen("555", "window", NOON),
        INCOMING,
        None,
        id="only there",
    ),
    pytest.param(
        window(DIALING, number="1002"),
        Seen("1002", "window", NOON),
        OUTGOING,
        None,
        id="dialled",
    ),
    pytest.param(
        window(HELD, calls=(call(OUTGOING, "1002", sources=("ini",)),)),
        Seen("1002", "ini", BEFORE),
        OUTGOING,
        BEFORE,
        id="a record that tells of no answer",
    ),
    pytest.param(
        window(RINGING, calls=(TALKS,)),
        None,
        INCOMING,
        None,
        id="another than the one that is up",
    ),
    pytest.param(window(IDLE, calls=(TALKS,)), None, None, None, id="none when idle"),
    pytest.param(window(ACTIVE, peer="555"), None, None, None, id="a waiting one is not it"),
]


@pytest.mark.parametrize(("seen", "peer", "direction", "since"), PEERS)
def test_the_call_is_named_by_who_knows_it(
    seen: Observation,
    peer: Seen[str] | None,
    direction: CallDirection | None,
    since: datetime | None,
) -> None:
    told = status(seen)

    assert told.peer == peer
    assert (told.direction.value if told.direction else None) is direction
    assert (told.since.value if told.since else None) == since


def test_levels_are_those_of_the_window_and_devices_those_of_the_settings() -> None:
    settings = SettingsInUse(input_device="default", output_device="Headset", read_at=LATER)

    told = status(window(IDLE, muted=False, volume=0, mic_volume=75), settings)

    assert told.muted == Seen(value=False, source="window", observed_at=NOON)
    assert (told.volume, told.mic_volume) == (Seen(0, "window", NOON), Seen(75, "window", NOON))
    assert told.input_device == Seen("default", "ini", LATER)
    assert told.output_device == Seen("Headset", "ini", LATER)


def test_what_nobody_tells_is_not_there() -> None:
    told = status(window(IDLE))

    assert told.muted is told.volume is told.mic_volume is None
    assert told.input_device is told.output_device is None


INI = """[Settings]\r
accountId=2\r
audioInputDevice=""\r
audioOutputDevice="Headset (Büro)"\r
[Account1]\r
dialingPrefix=9\r
[Account2]\r
dialingPrefix=0\r
"""


def test_the_settings_in_use_are_those_of_the_active_account(tmp_path: Path) -> None:
    path = tmp_path / "microsip.ini"
    path.write_text(INI, "utf-16", newline="")

    settings = read_settings(path, NOON)

    assert settings == SettingsInUse(
        input_device="default",
        output_device="Headset (Büro)",
        dialing_prefix="0",
        read_at=NOON,
    )


def test_settings_that_cannot_be_read_are_not_known(tmp_path: Path) -> None:
    assert read_settings(None, NOON) is None
    assert read_settings(tmp_path / "microsip.ini", NOON) is None
