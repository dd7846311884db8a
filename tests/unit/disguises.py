"""Denied numbers in disguise."""

import re

from hypothesis import strategies as st

DENIED = ("00*", "0900*", "0190*")
_DENIED_NUMBERS = st.sampled_from(["00", "+", "0900", "0190"]).flatmap(
    lambda head: st.text("0123456789", min_size=1, max_size=12).map(lambda rest: head + rest)
)


@st.composite
def disguised_numbers(draw: st.DrawFn) -> str:
    """One that DENIED denies, as somebody writes it who wants it dialled."""
    number = draw(_DENIED_NUMBERS)
    if number.startswith("00") and draw(st.booleans()):
        number = "+" + number[2:]
    parts = [draw(st.sampled_from(["", "", " ", "-", ".", "(", ")"])) + c for c in number]
    written = "".join(parts)
    match draw(st.sampled_from(["plain", "tel", "sip", "phone", "code"])):
        case "tel":
            scheme = draw(st.sampled_from(["tel:", "TEL:", "Tel:"]))
            return scheme + "".join(draw(_perhaps_escaped(c)) for c in written)
        case "sip":
            user = "".join(draw(_perhaps_escaped(c)) for c in re.sub(r"[ ()]", "", written))
            host = draw(st.sampled_from(["office.example", "OFFICE.example:5070"]))
            return f"{draw(st.sampled_from(['sip', 'SIP', 'sips']))}:{user}@{host}"
        case "phone":
            return f"sip:{written.replace(' ', '')}@office.example;user=phone"
        case "code":
            return draw(st.sampled_from(["*21*", "#31#", "*67", "**61*"])) + written
        case _:
            return written


def _perhaps_escaped(character: str) -> st.SearchStrategy[str]:
    return st.sampled_from([character, character, f"%{ord(character):02X}"])
