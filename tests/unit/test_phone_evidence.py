"""What counts as evidence, for every verb in every state."""

import pytest

from gateway.microsip.evidence import effect as effect_since, may_still_show, precondition
from gateway.microsip.observation import Observation
from gateway.microsip.reported import NOT_REPORTED
from gateway.phone import PhoneCommand, Verb
from gateway.phone_status import Look, PhoneState
from tests.fakes import NOON

IDLE, RINGING, DIALING, ACTIVE, HELD, UNKNOWN = (
    PhoneState.IDLE,
    PhoneState.RINGING,
    PhoneState.DIALING,
    PhoneState.ACTIVE,
    PhoneState.HELD,
    PhoneState.UNKNOWN,
)
ARGUMENTS = {
    Verb.DIAL: ("1002",),
    Verb.CALLTO: ("1002",),
    Verb.TRANSFER: ("1003",),
    Verb.DTMF: ("12#",),
    Verb.VOLUP: ("2",),
    Verb.VOLDOWN: ("2",),
    Verb.VOLUME: ("40",),
    Verb.MICVOLUME: ("40",),
    Verb.DEVICE: ("input", "3"),
}
SHOWN = (
    {(verb, IDLE, after) for verb in (Verb.DIAL, Verb.CALLTO) for after in (DIALING, ACTIVE)}
    | {
        (verb, before, IDLE)
        for verb in (Verb.HANGUP, Verb.TRANSFER)
        for before in PhoneState
        if before is not IDLE
    }
    | {
        (Verb.ANSWER, RINGING, ACTIVE),
        (Verb.REJECT, RINGING, IDLE),
        (Verb.HOLD, ACTIVE, HELD),
        (Verb.HOLD, HELD, ACTIVE),
    }
)
FORBIDDEN = (
    {(verb, IDLE) for verb in (Verb.HANGUP, Verb.HOLD, Verb.TRANSFER, Verb.DTMF)}
    | {(verb, RINGING) for verb in (Verb.HANGUP, Verb.HOLD, Verb.TRANSFER, Verb.DTMF)}
    | {(verb, DIALING) for verb in (Verb.HOLD, Verb.TRANSFER, Verb.DTMF)}
    | {
        (verb, state)
        for verb in (Verb.ANSWER, Verb.REJECT)
        for state in (IDLE, DIALING, ACTIVE, HELD)
    }
)


def effect(of: PhoneCommand, before: Observation, after: Observation) -> str:
    return effect_since(of, before, after, NOON)


def command(verb: Verb, *arguments: str) -> PhoneCommand:
    return PhoneCommand(verb, arguments or ARGUMENTS.get(verb, ()))


def seen(*states: PhoneState, raw: str = "words") -> Observation:
    return Observation(raw, frozenset(states) - {UNKNOWN})


@pytest.mark.parametrize("after", PhoneState)
@pytest.mark.parametrize("before", PhoneState)
@pytest.mark.parametrize("verb", Verb)
def test_a_change_of_state_is_evidence_by_the_table(
    verb: Verb, before: PhoneState, after: PhoneState
) -> None:
    evidence = effect(command(verb), seen(before), seen(after))

    expected = f"{before} -> {after}" if (verb, before, after) in SHOWN else ""
    assert evidence == expected


@pytest.mark.parametrize("state", PhoneState)
@pytest.mark.parametrize("verb", Verb)
def test_a_known_state_forbids_what_does_not_fit_it(verb: Verb, state: PhoneState) -> None:
    reason = precondition(command(verb), seen(state))

    assert bool(reason) == ((verb, state) in FORBIDDEN)


def test_a_second_call_that_rings_may_be_answered_while_one_is_up() -> None:
    both = seen(ACTIVE, RINGING)

    assert not precondition(command(Verb.ANSWER), both)
    assert not precondition(command(Verb.HANGUP), both)


def test_hanging_up_a_ringing_phone_says_what_to_type_instead() -> None:
    assert "reject" in precondition(command(Verb.HANGUP), seen(RINGING))


NUMBERS = [
    pytest.param("1002", "in 1001", "out 1002", True, id="newly there"),
    pytest.param("1002", "Call 1002", "Call 1002", False, id="there before"),
    pytest.param("1002", "", "Call 21002", False, id="inside another number"),
    pytest.param("1002", "", "Call 10023", False, id="start of another number"),
    pytest.param("1002", "", "Call <sip:1002@office.example>", True, id="in a URI"),
    pytest.param("*67#", "", "Call *67#", True, id="with signs"),
    pytest.param("sip:bob@h.example", "", "Call sip:bob@h.example", True, id="a URI whole"),
    pytest.param("sip:bob@h.example", "", "Call Bob", True, id="a URI's user"),
    pytest.param("sip:bob@h.example", "", "Call bobby", False, id="another user"),
]


@pytest.mark.parametrize(("number", "before", "after", "shown"), NUMBERS)
@pytest.mark.parametrize("state", [UNKNOWN, ACTIVE])
def test_the_number_in_the_string_is_evidence_of_a_dial(
    number: str, before: str, after: str, state: PhoneState, *, shown: bool
) -> None:
    dial = command(Verb.DIAL, number)

    evidence = effect(dial, seen(state, raw=before), seen(state, raw=after))

    assert evidence == (after if shown else "")


def test_a_second_call_is_shown_by_its_number_only() -> None:
    dial = command(Verb.DIAL, "1002")

    assert not effect(dial, seen(ACTIVE, raw="In call 1001"), seen(DIALING, raw="Dialing"))
    assert effect(dial, seen(ACTIVE, raw="In call 1001"), seen(DIALING, raw="Dialing 1002"))


VALUES = [
    (Verb.VOLUME, ("40",), "volume 50", "volume 40", True),
    (Verb.VOLUME, ("40",), "volume 50", "volume 50", False),
    (Verb.VOLUME, ("40",), "vol=50 mic=40", "vol=50 mic=40", False),
    (Verb.VOLUME, ("40",), "mic volume 50", "mic volume 40", False),
    (Verb.VOLUME, ("40",), "Idle", "Idle", False),
    (Verb.MICVOLUME, ("40",), "mic: 50", "mic: 40", True),
    (Verb.MICVOLUME, ("40",), "microphone volume=50", "microphone volume=40", True),
    (Verb.MICVOLUME, ("40",), "volume 50", "volume 40", False),
    (Verb.VOLUP, ("2",), "volume 50", "volume 60", True),
    (Verb.VOLUP, ("2",), "volume 50", "volume 40", False),
    (Verb.VOLUP, ("2",), "Idle", "volume 60", False),
    (Verb.VOLDOWN, ("2",), "volume 50", "volume 40", True),
    (Verb.VOLDOWN, ("2",), "volume 50", "volume 50", False),
    (Verb.MUTE, (), "active, unmuted", "active, muted", True),
    (Verb.MUTE, (), "mute=on", "mute=off", True),
    (Verb.MUTE, (), "muted", "muted", False),
    (Verb.MUTE, (), "active", "active", False),
    (Verb.DEVICE, ("input", "3"), "input 1", "input 3", True),
    (Verb.DEVICE, ("input", "3"), "input 1", "input 1, output 3", False),
    (Verb.DTMF, ("12#",), "active", "active, dtmf 12#", True),
    (Verb.DTMF, ("12#",), "active, dtmf 12#", "active, dtmf 12#", False),
    (Verb.DTMF, ("1",), "active", "active, dtmf 12", False),
]


@pytest.mark.parametrize(
    ("verb", "arguments", "before", "after", "shown"),
    VALUES,
    ids=[f"{verb} {before} to {after}" for verb, _, before, after, _ in VALUES],
)
def test_a_value_in_the_string_is_evidence_of_a_setting(
    verb: Verb, arguments: tuple[str, ...], before: str, after: str, *, shown: bool
) -> None:
    evidence = effect(command(verb, *arguments), seen(raw=before), seen(raw=after))

    assert evidence == (after if shown else "")


@pytest.mark.parametrize(
    ("device", "shown"),
    [
        ("input 3 (Headset)", True),
        ("input 31 (Headset)", False),
        ("output 3 (Headset)", False),
    ],
)
def test_the_device_in_the_settings_is_evidence(device: str, *, shown: bool) -> None:
    after = Observation(look=Look(device=device))

    evidence = effect(command(Verb.DEVICE, "input", "3"), Observation(), after)

    assert evidence == (device if shown else "")


@pytest.mark.parametrize("verb", Verb)
def test_only_closing_is_shown_by_microsip_being_gone(verb: Verb) -> None:
    gone = Observation(gone=True)

    assert bool(effect(command(verb), seen(ACTIVE), gone)) == (verb is Verb.CLOSE)


@pytest.mark.parametrize("verb", Verb)
def test_a_microsip_without_status_shows_nothing(verb: Verb) -> None:
    assert not effect(command(verb), Observation(), Observation())
    assert not precondition(command(verb), Observation())


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb is not Verb.CLOSE])
def test_looking_again_is_useless_where_nothing_is_reported(verb: Verb) -> None:
    assert not may_still_show(command(verb), Observation(), Observation())
    assert not may_still_show(command(verb), seen(ACTIVE), Observation(gone=True))


@pytest.mark.parametrize("verb", Verb)
def test_a_silent_microsip_is_looked_at_again(verb: Verb) -> None:
    assert may_still_show(command(verb), seen(ACTIVE), Observation(silent=True))


@pytest.mark.parametrize("verb", sorted(NOT_REPORTED))
def test_a_setting_is_looked_for_only_where_the_string_carries_it(verb: Verb) -> None:
    carries = "active, volume 50, mic 50, muted, input 1, dtmf 12#"

    assert not may_still_show(command(verb), seen(ACTIVE), seen(ACTIVE))
    assert may_still_show(command(verb), seen(ACTIVE, raw=carries), seen(ACTIVE))
