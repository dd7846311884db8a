"""The call that a played MicroSIP is in, as far as its DDE commands see it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

WORDING = {
    "idle": "idle",
    "ringing": "ringing {number}",
    "dialing": "dialing {number}",
    "active": "active {number}",
    "held": "held {number}",
}

_BRACKET = re.compile(r"\[(\w+)(?:\((.*)\))?\]", re.ASCII)
_QUOTED = re.compile(r'"([^"]*)"')
_PLAIN = re.compile(r"(\w+)(?: (.*))?", re.ASCII)


def parse(text: str) -> tuple[str, list[str]]:
    """``Dial 1002`` or ``[Dial("1002")]``; an empty verb for anything else."""
    if match := _BRACKET.fullmatch(text):
        return match[1], _QUOTED.findall(match[2] or "")
    if match := _PLAIN.fullmatch(text):
        return match[1], match[2].split(",") if match[2] else []
    return "", []


@dataclass
class Softphone:
    """Carries out the sixteen verbs; one that does not fit the state does nothing."""

    clock: Callable[[], float]
    answered_after: float = 0.2
    state: str = "idle"
    number: str = ""
    kept: list[str] = field(default_factory=list)
    """Calls on hold while another is up."""
    settings: dict[str, int] = field(
        default_factory=lambda: {"volume": 50, "mic": 50, "mute": 0}
    )
    wording: dict[str, str] | None = None
    running: bool = True
    _dialled_at: float = 0.0

    def status(self) -> str | None:
        """In the configured wording; None where Status is not reported."""
        if self.state == "dialing" and self.clock() - self._dialled_at >= self.answered_after:
            self.state = "active"
        if self.wording is None:
            return None
        return self.wording[self.state].format(number=self.number, **self.settings)

    def execute(self, verb: str, arguments: list[str]) -> bool:
        """Whether it was carried out."""
        self.status()
        action = getattr(self, f"_{verb.lower()}", None)
        return bool(verb) and action is not None and action(*arguments)

    def _dial(self, number: str) -> bool:
        if self.state in {"active", "held"}:
            self.kept.append(self.number)
        return self._callto(number)

    def _callto(self, number: str) -> bool:
        self.state, self.number, self._dialled_at = "dialing", number, self.clock()
        return True

    def _hangup(self) -> bool:
        return self._ends("dialing", "active", "held")

    def _transfer(self, _number: str) -> bool:
        return self._ends("active", "held")

    def _reject(self) -> bool:
        return self._ends("ringing")

    def _ends(self, *states: str) -> bool:
        if self.state not in states:
            return False
        self.number = self.kept.pop() if self.kept else ""
        self.state = "held" if self.number else "idle"
        return True

    def _answer(self) -> bool:
        return self._becomes({"ringing": "active"})

    def _hold(self) -> bool:
        return self._becomes({"active": "held", "held": "active"})

    def _becomes(self, steps: dict[str, str]) -> bool:
        if self.state not in steps:
            return False
        self.state = steps[self.state]
        return True

    def _senddtmf(self, *_digits: str) -> bool:
        return self.state == "active"

    def _setdevice(self, kind: str, _device: str) -> bool:
        return kind in {"input", "output"}

    def _mute(self) -> bool:
        return self._sets("mute", 1 - self.settings["mute"])

    def _volumeup(self, steps: str) -> bool:
        return self._sets("volume", self.settings["volume"] + 5 * int(steps))

    def _volumedown(self, steps: str) -> bool:
        return self._sets("volume", self.settings["volume"] - 5 * int(steps))

    def _setvolume(self, level: str) -> bool:
        return self._sets("volume", int(level))

    def _setmicvolume(self, level: str) -> bool:
        return self._sets("mic", int(level))

    def _sets(self, setting: str, level: int) -> bool:
        self.settings[setting] = max(0, min(100, level))
        return True

    def _status(self) -> bool:
        return True

    def _close(self) -> bool:
        self.running = False
        return True
