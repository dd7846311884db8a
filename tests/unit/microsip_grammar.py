"""What MicroSIP makes of a string, read from the sources of 3.20.5 to 3.22.3."""

import re
from dataclasses import dataclass
from typing import Literal

Meaning = Literal["send", "dial", "switch account", "set password", "switch", "msip"]

_SWITCHES = ("/answer", "/hangupall", "/hangupincoming", "/hangupcalling")
_WITH_ARGUMENT = ("/dtmf:", "/transfer:")


@dataclass(frozen=True)
class Understood:
    """What is done, with a number and a text where there are."""

    meaning: Meaning
    number: str = ""
    text: str = ""


def understood(text: str, *, newer: bool) -> Understood:
    """*newer*: 3.21.4 and later know two more prefixes and two escapes."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if text.startswith("msip:"):
        return Understood("msip")
    if re.search("/password:", text, re.IGNORECASE):
        return Understood("set password")
    if re.search("/account:", text, re.IGNORECASE):
        return Understood("switch account")
    prefixes = ("tel:", "sip:", "callto:", *(("dialpad:", "dial:") if newer else ()))
    prefix = next((p for p in prefixes if text.lower().startswith(p)), "")
    text = text[len(prefix) :].removeprefix("//").removesuffix("/")
    if text in _SWITCHES or text.startswith(_WITH_ARGUMENT):
        return Understood("switch")
    number, space, message = text.partition(" ")
    if newer:
        number = number.replace("%20", " ").replace("%2B", "+")
    return Understood("send" if space else "dial", number, message)
