"""What a played MicroSIP makes of a string, as its versions 3.20.5, 3.21.4 and 3.22.3 do."""

import re
from dataclasses import dataclass, field

STEP = 5
_PREFIXES = {"3.20.5": ("tel:", "sip:", "callto:")}
_NEWER_PREFIXES = ("tel:", "sip:", "callto:", "dialpad:", "dial:")
_EVERYWHERE = {
    "/answer": "answered",
    "/hangupall": "hung up",
    "/hangupcalling": "gave up calling",
    "msip:answer": "answered",
    "msip:hangupall": "hung up",
    "msip:hold": "toggled hold",
    "msip:minimize": "hid its window",
    "msip:": "nothing",
}
_NEWER = {
    "/hangupincoming": "rejected",
    "msip:micmuteclick": "toggled mute",
    "msip:micmute": "set mute",
    "msip:micunmute": "cleared mute",
}
_OLDER = {"msip:micmute": "toggled mute"}
_SLIDER = re.compile(r"msip:(mic|speak)(up|down)")


@dataclass
class Softphone:
    """Everything that it does not know, it dials; a space makes it a message."""

    version: str
    levels: dict[str, int] = field(default_factory=lambda: {"mic": 50, "speak": 53})

    def execute(self, text: str) -> str:
        """What happened."""
        text = text.strip()
        if slider := _SLIDER.fullmatch(text):
            return self._turn(slider[1], STEP if slider[2] == "up" else -STEP)
        known = _EVERYWHERE | (_OLDER if self.version == "3.20.5" else _NEWER)
        if text in known:
            return known[text]
        if account := re.search(r"/account:(\d+)", text):
            return f"switched to account {account[1]}"
        for switch, effect in (("/dtmf:", "played"), ("/transfer:", "transferred to")):
            if text.startswith(switch):
                return f"{effect} {text.removeprefix(switch)}"
        return self._number(text)

    def _number(self, text: str) -> str:
        prefixes = _PREFIXES.get(self.version, _NEWER_PREFIXES)
        bare = next((text[len(p) :] for p in prefixes if text.lower().startswith(p)), text)
        number, _, message = bare.removeprefix("//").removesuffix("/").partition(" ")
        return f"sent {message!r} to {number}" if message else f"dialled {number}"

    def _turn(self, slider: str, by: int) -> str:
        self.levels[slider] = max(0, min(100, self.levels[slider] + by))
        return f"{slider} {self.levels[slider]}"
