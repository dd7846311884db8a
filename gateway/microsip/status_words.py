"""The call state in MicroSIP's Status string, whose wording is nowhere laid down."""

import re
from collections.abc import Mapping, Sequence

from gateway.config import Dde
from gateway.errors import ConfigError
from gateway.phone_status import PhoneState

SPECIFIC_FIRST = (
    PhoneState.DIALING,
    PhoneState.RINGING,
    PhoneState.HELD,
    PhoneState.ACTIVE,
    PhoneState.IDLE,
)
"""Which state it is when words of several are found.

``Calling 1002 (ringing)`` is dialing, ``Active 1001, incoming 1002`` ringing,
``Connected, on hold`` held, ``Ready, in call`` active.
"""


class StatusWords:
    """The words of the configuration, ready to be looked for."""

    def __init__(self, words: Mapping[str, Sequence[str]]) -> None:
        """*words* of a state replace the defaults of that state alone."""
        self._states = {
            word.lower(): _state(name)
            for name, state_words in {**Dde().status_words, **words}.items()
            for word in state_words
            if word.strip()
        }
        self._pattern = _pattern(self._states)

    def states(self, raw: str) -> frozenset[PhoneState]:
        """Every state that *raw* names; empty: it holds no state word."""
        found = (match[1] for match in self._pattern.finditer(raw.lower()))
        return frozenset(self._states[word] for word in found if word)


def most_specific(states: frozenset[PhoneState]) -> PhoneState:
    return next((state for state in SPECIFIC_FIRST if state in states), PhoneState.UNKNOWN)


def _state(name: str) -> PhoneState:
    if name not in SPECIFIC_FIRST:
        known = ", ".join(sorted(SPECIFIC_FIRST))
        raise ConfigError(f"[phone.dde.status_words]: {name!r} is no state; use {known}")
    return PhoneState(name)


def _pattern(words: Mapping[str, PhoneState]) -> re.Pattern[str]:
    """Whole words, the longest first.

    What is denied (``not connected``, ``hold: off``) names nothing: the first is matched
    without the group, the second not at all.
    """
    longest_first = sorted(words, key=len, reverse=True)
    any_word = "|".join(re.escape(word) for word in longest_first) or r"(?!)"
    return re.compile(
        rf"(?<!\w)(?:({any_word})(?!\w)(?!\s*[:=]\s*(?:no|off|false|0)\b)"
        rf"|(?:no|not)\s+(?:{any_word})(?!\w))"
    )
