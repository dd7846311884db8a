"""What a played MicroSIP makes of a string, as its versions 3.20.5, 3.21.4 and 3.22.3 do."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.peers.played_calls import Calls, State

STEP = 5
_PREFIXES = {"3.20.5": ("tel:", "sip:", "callto:")}
_NEWER_PREFIXES = ("tel:", "sip:", "callto:", "dialpad:", "dial:")
_SLIDER = re.compile(r"msip:(mic|speak)(up|down)")
_NOT_INCOMING = (State.CALLING, State.EARLY, State.CONFIRMED)


@dataclass
class Softphone:
    """Everything that it does not know, it dials; a space makes it a message."""

    version: str
    calls: Calls = field(default_factory=Calls)
    levels: dict[str, int] = field(default_factory=lambda: {"mic": 50, "speak": 53})
    muted: dict[str, bool] = field(default_factory=lambda: {"mic": False, "speak": False})

    def execute(self, text: str) -> str:
        """What it is meant to do; whether that happens is up to the calls."""
        text = text.strip()
        if len(text) > 1 and text.startswith('"') and text.endswith('"'):
            text = text[1:-1]
        if slider := _SLIDER.fullmatch(text):
            return self._turn(slider[1], STEP if slider[2] == "up" else -STEP)
        if known := self._commands().get(text):
            effect, act = known
            act()
            return effect
        if account := re.search(r"/account:(\d+)", text):
            return f"switched to account {account[1]}"
        for switch, effect in (("/dtmf:", "played"), ("/transfer:", "transferred to")):
            if text.startswith(switch):
                if switch == "/transfer:":
                    self.calls.transfer()
                return f"{effect} {text.removeprefix(switch)}"
        return self._number(text)

    def _commands(self) -> dict[str, tuple[str, Callable[[], None]]]:
        calls = self.calls
        known: dict[str, tuple[str, Callable[[], None]]] = {
            "msip:": ("nothing", lambda: None),
            "msip:minimize": ("hid its window", lambda: None),
            "msip:hold": ("toggled hold", calls.toggle_hold),
            "/hangupcalling": (
                "gave up calling",
                lambda: calls.hang_up(State.CALLING, State.EARLY),
            ),
        }
        for prefix in ("/", "msip:"):
            known[f"{prefix}answer"] = ("answered", calls.answer)
            known[f"{prefix}hangupall"] = ("hung up", lambda: calls.hang_up(*_NOT_INCOMING))
        if self.version == "3.20.5":
            return known | {"msip:micmute": ("toggled mute", lambda: self._mute(None))}
        return known | {
            "/hangupincoming": ("rejected", lambda: calls.hang_up(State.INCOMING)),
            "msip:micmuteclick": ("toggled mute", lambda: self._mute(None)),
            "msip:micmute": ("set mute", lambda: self._mute(True)),
            "msip:micunmute": ("cleared mute", lambda: self._mute(False)),
        }

    def _number(self, text: str) -> str:
        prefixes = _PREFIXES.get(self.version, _NEWER_PREFIXES)
        bare = next((text[len(p) :] for p in prefixes if text.lower().startswith(p)), text)
        if bare.startswith("//"):
            bare = bare[2:].removesuffix("/")
        number, _, message = bare.partition(" ")
        if message:
            return f"sent {message!r} to {number}"
        self.calls.dial(number)
        return f"dialled {number}"

    def _mute(self, muted: bool | None) -> None:  # noqa: FBT001  set, clear or toggle
        self.muted["mic"] = not self.muted["mic"] if muted is None else muted

    def _turn(self, slider: str, by: int) -> str:
        self.levels[slider] = max(0, min(100, self.levels[slider] + by))
        self.muted[slider] = False
        return f"{slider} {self.levels[slider]}"
