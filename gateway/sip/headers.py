"""Header fields of SIP, CPIM or MIME, read without trust in their sender."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_BLANK_LINE = re.compile(rb"\r?\n\r?\n|\A\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_PARAMETER = re.compile(r""";\s*([\w.!%*+\-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]*))""")

# RFC 3261, section 7.3.3
_COMPACT = {
    "c": "content-type",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "l": "content-length",
    "t": "to",
    "v": "via",
}


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields in their order, names in lower case."""

    fields: tuple[tuple[str, str], ...] = ()

    def all(self, name: str) -> Sequence[str]:
        return [value for field, value in self.fields if field == name]

    def one(self, name: str) -> str:
        """The value; empty when the header is absent, or there twice: nobody's word then."""
        values = self.all(name)
        return values[0] if len(values) == 1 else ""

    def first(self, name: str) -> str:
        """The value of the first, empty when there is none."""
        return next(iter(self.all(name)), "")


def storable(data: bytes) -> str:
    """UTF-8 text that every database takes: no NUL, no lone surrogate."""
    return data.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def split_block(data: bytes) -> tuple[bytes, bytes]:
    """What stands before the first empty line, then what follows it."""
    match = _BLANK_LINE.search(data)
    if match is None:
        return data, b""
    return data[: match.start()], data[match.end() :]


def parse_headers(block: bytes) -> Headers:
    """Fold continuation lines, expand compact names, leave out what is no header."""
    lines = _FOLD.sub(" ", storable(block)).split("\n")
    fields = []
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            name = name.strip().lower()
            fields.append((_COMPACT.get(name, name), value.strip()))
    return Headers(tuple(fields))


def parse_content_type(value: str) -> tuple[str, dict[str, str]]:
    """``Text/Plain; charset="x"`` -> ``text/plain`` with its parameters."""
    media_type, _, _ = value.partition(";")
    parameters = {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) or token
        for name, quoted, token in _PARAMETER.findall(value)
    }
    return "".join(media_type.lower().split())[:127], parameters


def split_list(value: str) -> Sequence[str]:
    """The items of a comma-separated header; commas in quotes or ``<>`` do not count."""
    items = re.findall(r"""(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,])+""", value)
    return [item.strip() for item in items if item.strip()]
