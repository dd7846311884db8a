"""Replies in pages of at most three MESSAGEs; ``more`` brings the rest."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.chat.command import Call, Command, Reply
from gateway.chat.lru import LruDict
from gateway.chat.reply import all_lines
from gateway.phone import CommandOutcome, Problem
from gateway.split import cut_text, split_text

MAX_PARTS = 3
MORE = "(type more for the rest)"


@dataclass(frozen=True, slots=True)
class _Rest:
    lines: tuple[str, ...]
    following: Callable[[], Awaitable[Reply]] | None


class Pager:
    """Keeps the rest of each caller's last long reply."""

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rests: LruDict[str, _Rest] = LruDict()

    def commands(self) -> tuple[Command, ...]:
        more = Command(name="more", help="The rest of the last reply.", run=self._more)
        return (more,)

    def bodies(self, who: str, reply: Reply) -> tuple[str, ...]:
        """What fits into three MESSAGEs."""
        room = self._max_bytes - len(MORE)
        lines = tuple(piece for line in all_lines(reply) for piece in cut_text(line, room))
        if reply.more is None and self._fit(lines):
            self._keep(who, reply, ())
            return self._parts(lines)
        count = 1
        while count < len(lines) and self._fit((*lines[: count + 1], MORE)):
            count += 1
        self._keep(who, reply, lines[count:])
        return self._parts((*lines[:count], MORE))

    def lines(self, who: str, reply: Reply) -> tuple[str, ...]:
        """All of it, where length is no matter."""
        self._keep(who, reply, ())
        return (*all_lines(reply), MORE) if reply.more else all_lines(reply)

    def _fit(self, lines: tuple[str, ...]) -> bool:
        return len(self._parts(lines)) <= MAX_PARTS

    def _parts(self, lines: tuple[str, ...]) -> tuple[str, ...]:
        return split_text("\n".join(lines), self._max_bytes)

    def _keep(self, who: str, reply: Reply, lines: tuple[str, ...]) -> None:
        if lines or reply.more:
            self._rests.put(who, _Rest(lines, reply.more))
        elif reply.outcome is CommandOutcome.CONFIRMED:
            self._rests.pop(who)

    async def _more(self, call: Call) -> Reply:
        rest = self._rests.get(call.caller.who)
        if rest is None:
            return Reply(
                outcome=CommandOutcome.FAILED,
                state="there is no more",
                problem=Problem.INVALID,
            )
        if rest.lines or rest.following is None:
            return Reply(
                outcome=CommandOutcome.CONFIRMED, lines=rest.lines, more=rest.following
            )
        return await rest.following()
