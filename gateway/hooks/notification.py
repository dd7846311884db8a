"""What a webhook says, whatever its format."""

from dataclasses import dataclass
from typing import Any

JsonObject = dict[str, Any]

MAX_LINES = 40
_MAX_LINE = 300
_MAX_DEPTH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Text for the recipients."""

    text: str
    recipients: tuple[str, ...] = ()
    """Asked for by the sender; empty: those of the configuration."""
    duplicate_key: str = ""
    """The sender's own id of it; empty: it has none."""


def clipped(line: str) -> str:
    """*line* on one line, of bounded length."""
    line = " ".join(line.split())
    return line if len(line) <= _MAX_LINE else line[: _MAX_LINE - 1] + "…"


def flat_text(document: JsonObject) -> str:
    """``name: value`` lines, for a document that has no text of its own."""
    lines = [clipped(f"{name}: {_value(value)}") for name, value in document.items()]
    if len(lines) > MAX_LINES:
        lines = [*lines[:MAX_LINES], f"({len(lines) - MAX_LINES} more)"]
    return "\n".join(lines)


def _value(value: object, depth: int = 0) -> str:
    match value:
        case dict() | list() if depth == _MAX_DEPTH:
            return "…"
        case None:
            return ""
        case bool():
            return str(value).lower()
        case dict():
            return ", ".join(
                f"{name}={_value(item, depth + 1)}" for name, item in value.items()
            )
        case list():
            return ", ".join(_value(item, depth + 1) for item in value)
        case _:
            return str(value)
