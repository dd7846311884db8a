"""Text cut into parts that each fit a number of UTF-8 bytes."""

import re
import unicodedata

_NUMBERED = "({}/{}) "
_LONGEST_CHARACTER = 4  # RFC 3629, section 3
_EXTENDING = frozenset({"Mn", "Mc", "Me"})
_ZWJ = "\u200d"
_JOINERS = frozenset({_ZWJ, "\u200c"})
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_BREAK = re.compile(r"[ \t\r\n]")


def split_text(text: str, max_bytes: int) -> tuple[str, ...]:
    """One part when *text* fits, else parts that begin with ``(1/3) `` and fit with it.

    One space or line end goes where a part ends at it; nothing else is lost. Raises
    ValueError when *max_bytes* leaves no room for a character.
    """
    if byte_length(text) <= max_bytes:
        return (text,)
    digits = 1
    while True:
        room = max_bytes - len(_NUMBERED.format("9" * digits, "9" * digits))
        parts = cut_text(text, room)
        if len(str(len(parts))) <= digits:
            total = len(parts)
            return tuple(_NUMBERED.format(i, total) + p for i, p in enumerate(parts, 1))
        digits += 1


def cut_text(text: str, max_bytes: int) -> tuple[str, ...]:
    """The parts without numbers: at most *max_bytes* each, ``("",)`` for no text."""
    if max_bytes < _LONGEST_CHARACTER:
        raise ValueError(f"{max_bytes} bytes do not hold every character")
    parts = []
    start = 0
    while start < len(text):
        end, following = _cut(text, start, max_bytes)
        parts.append(text[start:end])
        start = following
    return tuple(parts) or ("",)


def byte_length(text: str) -> int:
    """In UTF-8; a lone surrogate, which JSON can bring, counts as it would be escaped."""
    return len(text.encode("utf-8", "surrogatepass"))


def _cut(text: str, start: int, max_bytes: int) -> tuple[int, int]:
    """Where the part from *start* ends, and where the next one begins."""
    end = start + _fitting(text[start : start + max_bytes], max_bytes)
    if end == len(text):
        return end, end
    half = start + (end - start) // 2
    breaks = [
        match.start()
        for match in _BREAK.finditer(text, half + 1, end + 1)
        if _may_cut(text, match.end())
    ]
    if breaks:
        lines = [at for at in breaks if text[at] == "\n"]
        at = lines[-1] if lines else breaks[-1]
        return at, at + 1
    cut = next((at for at in range(end, start, -1) if _may_cut(text, at)), end)
    return cut, cut


def _fitting(text: str, max_bytes: int) -> int:
    """How many characters of *text* fit."""
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) <= max_bytes:
        return len(text)
    cut = max_bytes
    while encoded[cut] & 0b1100_0000 == 0b1000_0000:
        cut -= 1
    return len(encoded[:cut].decode("utf-8", "surrogatepass"))


def _may_cut(text: str, at: int) -> bool:
    """Whether what is read as one character stays whole (after Unicode annex 29)."""
    if not 0 < at < len(text):
        return True
    before, after = text[at - 1], text[at]
    if after in _JOINERS or unicodedata.category(after) in _EXTENDING:
        return False
    if ord(after) in _SKIN_TONES or ord(after) in _TAGS:
        return False
    if before == _ZWJ or (before == "\r" and after == "\n"):
        return False
    if ord(after) in _FLAG_LETTERS:
        return _flag_letters_before(text, at) % 2 == 0
    return True


def _flag_letters_before(text: str, at: int) -> int:
    count = 0
    while at > count and ord(text[at - count - 1]) in _FLAG_LETTERS:
        count += 1
    return count
