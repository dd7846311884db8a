"""Status strings of many wordings, read as states."""

import pytest

from gateway.errors import ConfigError
from gateway.microsip.status_words import StatusWords, most_specific
from gateway.phone_status import PhoneState

IDLE, RINGING, DIALING, ACTIVE, HELD, UNKNOWN = (
    PhoneState.IDLE,
    PhoneState.RINGING,
    PhoneState.DIALING,
    PhoneState.ACTIVE,
    PhoneState.HELD,
    PhoneState.UNKNOWN,
)
WORDINGS = [
    ("idle", IDLE),
    ("Idle", IDLE),
    ("READY", IDLE),
    ("Call: none", IDLE),
    ("Ringing 1002", RINGING),
    ("Incoming call from 1002", RINGING),
    ("dialing 1002", DIALING),
    ("Calling 1002...", DIALING),
    ("Calling 1002 (ringing)", DIALING),
    ("In call with 1002", ACTIVE),
    ("Connected 00:12", ACTIVE),
    ("talking", ACTIVE),
    ("state=active;number=1002", ACTIVE),
    ("Call on hold", HELD),
    ("Connected, on hold", HELD),
    ("In call 1002 (held)", HELD),
    ("Ready, in call 1002", ACTIVE),
    ("Active 1001, incoming 1002", RINGING),
    ("Dialing 1002 (1001 on hold)", DIALING),
    ("disconnected", UNKNOWN),
    ("not connected", UNKNOWN),
    ("not active", UNKNOWN),
    ("No active call; ready", IDLE),
    ("inactive", UNKNOWN),
    ("active; hold: no", ACTIVE),
    ("active; hold=off", ACTIVE),
    ("withheld 1002", UNKNOWN),
    ("Gespräch", UNKNOWN),
    ("", UNKNOWN),
]


@pytest.mark.parametrize(("raw", "state"), WORDINGS)
def test_a_state_word_in_the_string_is_the_state(raw: str, state: PhoneState) -> None:
    assert most_specific(StatusWords({}).states(raw)) is state


def test_every_state_that_is_named_is_known() -> None:
    states = StatusWords({}).states("Active 1001, incoming 1002")

    assert states == {ACTIVE, RINGING}


def test_configured_words_replace_those_of_their_state_alone() -> None:
    words = StatusWords({"active": ("Gespräch",)})

    assert words.states("Im Gespräch mit 1002") == {ACTIVE}
    assert words.states("connected") == frozenset()
    assert words.states("idle") == {IDLE}


def test_the_longest_configured_word_wins_over_one_inside_it() -> None:
    words = StatusWords({"idle": ("call ended",), "active": ("call",)})

    assert words.states("Call ended") == {IDLE}


def test_a_state_without_words_is_never_read() -> None:
    words = StatusWords(dict.fromkeys(("idle", "ringing", "dialing", "active", "held"), ()))

    assert words.states("idle active held") == frozenset()


def test_words_for_a_state_that_does_not_exist_are_an_error() -> None:
    with pytest.raises(ConfigError, match="'busy' is no state; use active, dialing"):
        StatusWords({"busy": ("busy",)})
