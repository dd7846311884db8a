"""The verbs that are known, by every name, and what a mistyped one may have meant."""

from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache

from gateway.chat.command import MAX_NAME, Command, CommandLine

_MISTYPED = 0.75  # "dail" is this close to "dial"
_SIMILAR = 0.4  # less is chance: "frobnicate" is as close to "device"
_SUGGESTED = 3
_REMEMBERED = 4096  # first words: comparing one costs as much as storing its message


class Vocabulary:
    """A table of commands; where two share a name, the first has it."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self._by_name: dict[str, Command] = {}
        for command in commands:
            for name in (command.name, *command.aliases):
                self._by_name.setdefault(name, command)
        self._is_mistyped = lru_cache(_REMEMBERED)(self._is_close)

    def get(self, verb: str) -> Command | None:
        return self._by_name.get(verb.lower())

    def nearest(self, verb: str) -> tuple[str, ...]:
        """The three commands most like *verb*, best first; none when not even one is."""
        names = self._by_name
        if not get_close_matches(verb.lower(), names, 1, cutoff=_SIMILAR):
            return ()
        ranked = get_close_matches(verb.lower(), names, len(names), cutoff=0.0)
        return tuple(dict.fromkeys(names[name].name for name in ranked))[:_SUGGESTED]

    def no_such_verb(self, verb: str) -> str:
        """What to tell somebody who typed *verb*."""
        near = ", ".join(self.nearest(verb))
        return f"no such verb; {f'nearest: {near}; ' if near else ''}help lists all"

    def is_command(self, line: CommandLine | None) -> bool:
        """Whether *line* is meant for us: prefixed, or with a known or mistyped verb."""
        if line is None:
            return False
        if line.prefixed or line.verb in self._by_name:
            return True
        if not 3 <= len(line.verb) <= MAX_NAME:
            return False
        return self._is_mistyped(line.verb)

    def _is_close(self, verb: str) -> bool:
        return bool(get_close_matches(verb, self._by_name, 1, cutoff=_MISTYPED))
