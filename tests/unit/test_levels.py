"""The steps that bring a slider where it should be, and what its position proves."""

import pytest
from hypothesis import given, strategies as st

from gateway.microsip.levels import STEP, already_set, level_effect, moves, shortfall
from gateway.phone import PhoneCommand, Verb
from gateway.phone_status import Look

LEVEL = st.integers(0, 100)
MOVES = [
    (50, 40, (-2,)),
    (50, 50, ()),
    (53, 43, (-2,)),
    (53, 40, (-11, 8)),
    (98, 90, (1, -2)),
    (3, 0, (-1,)),
    (97, 100, (1,)),
    (50, 43, (-1,)),
    (0, 100, (20,)),
]


@pytest.mark.parametrize(("stands", "wanted", "runs"), MOVES)
def test_only_the_missing_steps_are_made(
    stands: int, wanted: int, runs: tuple[int, ...]
) -> None:
    assert moves(stands, wanted) == runs


@given(stands=LEVEL, wanted=LEVEL)
def test_a_slider_gets_as_near_as_its_steps_allow(stands: int, wanted: int) -> None:
    at = stands
    for run in moves(stands, wanted):
        for _ in range(abs(run)):
            at = max(0, min(100, at + (STEP if run > 0 else -STEP)))

    reachable = {*range(0, 101, STEP), *range(stands % STEP, 101, STEP)}
    assert abs(at - wanted) == min(abs(level - wanted) for level in reachable)


def of(verb: Verb, *arguments: str) -> PhoneCommand:
    return PhoneCommand(verb, arguments)


SEEN = [
    (of(Verb.VOLUME, "40"), Look(volume=53), Look(volume=40), "53 -> 40"),
    (of(Verb.VOLUME, "40"), Look(volume=53), Look(volume=45), ""),
    (of(Verb.VOLUME, "40"), Look(volume=40), Look(volume=40), ""),
    (of(Verb.VOLUME, "40"), Look(), Look(volume=40), ""),
    (of(Verb.VOLUME, "40"), Look(volume=53), Look(), ""),
    (of(Verb.VOLUME, "40"), Look(mic_volume=53), Look(mic_volume=40), ""),
    (
        of(Verb.VOLUME, "40"),
        Look(volume=40, speaker_muted=True),
        Look(volume=40, speaker_muted=False),
        "40 -> 40, no longer muted",
    ),
    (of(Verb.MICVOLUME, "75"), Look(mic_volume=50), Look(mic_volume=75), "50 -> 75"),
    (of(Verb.VOLUP, "2"), Look(volume=53), Look(volume=63), "53 -> 63"),
    (of(Verb.VOLUP, "2"), Look(volume=53), Look(volume=58), ""),
    (of(Verb.VOLUP, "2"), Look(volume=97), Look(volume=100), "97 -> 100"),
    (of(Verb.VOLDOWN, "10"), Look(volume=20), Look(volume=0), "20 -> 0"),
    (of(Verb.MUTE), Look(muted=False), Look(muted=True), "microphone muted"),
    (of(Verb.MUTE), Look(muted=True), Look(muted=False), "microphone no longer muted"),
    (of(Verb.MUTE), Look(muted=True), Look(muted=True), ""),
    (of(Verb.MUTE), Look(), Look(muted=True), ""),
    (of(Verb.DTMF, "1"), Look(volume=1), Look(volume=2), ""),
]


@pytest.mark.parametrize(("command", "before", "after", "evidence"), SEEN)
def test_a_setting_is_shown_by_the_position_that_was_asked_for(
    command: PhoneCommand, before: Look, after: Look, evidence: str
) -> None:
    assert level_effect(command, before, after) == evidence


ALREADY = [
    (of(Verb.VOLUME, "40"), Look(volume=40), "already 40"),
    (of(Verb.VOLUME, "40"), Look(volume=40, speaker_muted=True), ""),
    (of(Verb.VOLUME, "40"), Look(volume=45), ""),
    (of(Verb.VOLUME, "40"), Look(), ""),
    (of(Verb.MICVOLUME, "0"), Look(mic_volume=0, speaker_muted=True), "already 0"),
    (of(Verb.VOLUP, "1"), Look(volume=100), "already 100"),
    (of(Verb.VOLDOWN, "1"), Look(volume=0), "already 0"),
    (of(Verb.MUTE), Look(muted=True), ""),
]


@pytest.mark.parametrize(("command", "look", "evidence"), ALREADY)
def test_what_is_set_already_is_not_set_again(
    command: PhoneCommand, look: Look, evidence: str
) -> None:
    assert already_set(command, look) == evidence


def test_a_level_between_two_steps_is_said_to_be_missed() -> None:
    missed = shortfall(of(Verb.VOLUME, "43"), Look(volume=45))

    assert missed == "sent; it is at 45: MicroSIP moves it in steps of 5"
    assert shortfall(of(Verb.VOLUME, "40"), Look(volume=45)) == "sent; it is at 45: try again"
    assert not shortfall(of(Verb.VOLUME, "43"), Look())
    assert not shortfall(of(Verb.MUTE), Look(volume=45))
