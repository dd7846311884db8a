"""One look at MicroSIP, with what is known of its calls at that moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.call import Call
from gateway.microsip.status_words import most_specific
from gateway.phone_status import Look, PhoneState

NOTHING_SHOWN = Look()


@dataclass(frozen=True, slots=True)
class Observation:
    """Of MicroSIP from outside."""

    raw: str | None = None
    """Its own words; None: it reports no Status."""
    states: frozenset[PhoneState] = frozenset()
    """All that its words name, else all that its windows show."""
    gone: bool = False
    """There is no MicroSIP any more."""
    silent: bool = False
    """It did not answer this time."""
    at: datetime | None = None
    """When it was seen; None: it was not."""
    look: Look = NOTHING_SHOWN
    calls: Sequence[Call] | None = None
    """Those that go on, and the recent ones; None: nobody tells of them."""
    prefix: str = ""
    """What MicroSIP's account puts in front of the numbers that are dialled."""

    @property
    def state(self) -> PhoneState:
        return most_specific(self.states)

    @property
    def blind(self) -> bool:
        """Nothing is ever seen of the calls of such a MicroSIP."""
        return self.raw is None and not self.states and self.calls is None
