"""A reply's wording: its first line, and text that is safe to show."""

from gateway.chat.command import Reply
from gateway.phone import CommandOutcome

WORDS = {
    CommandOutcome.CONFIRMED: "OK",
    CommandOutcome.UNCONFIRMED: "WAIT",
    CommandOutcome.REFUSED: "NO",
    CommandOutcome.FAILED: "ERR",
}
MAX_SUBJECT = 64
MAX_STATE = 240
_ID_LENGTH = 8
_JOINERS = "\u200c\u200d"


def first_line(reply: Reply) -> str:
    """``OK | WAIT | NO | ERR`` verb subject (state) ``#id``; the id by its end."""
    parts = [WORDS[reply.outcome], reply.verb, shown(reply.subject, MAX_SUBJECT)]
    if reply.state:
        parts.append(f"({shown(reply.state, MAX_STATE)})")
    if reply.command_id:
        parts.append(f"#{reply.command_id[-_ID_LENGTH:]}")
    return " ".join(part for part in parts if part)


def all_lines(reply: Reply) -> tuple[str, ...]:
    return (first_line(reply), *reply.lines)


def shown(text: str, limit: int) -> str:
    """*text* on one line, without control characters, cut to *limit* characters."""
    cut = text[: 4 * limit]
    line = " ".join(cut.split())
    line = "".join(c if c.isprintable() or c in _JOINERS else "?" for c in line)
    return line if len(line) <= limit and cut == text else line[: limit - 3] + "..."
