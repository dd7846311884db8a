"""The grammar of a command line, with what a command is and answers."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from gateway.caller import Caller, Permission
from gateway.message import MessageId
from gateway.phone import CommandOutcome, Problem

MAX_NAME = 32
"""No verb is longer."""

_SEPARATORS = " \t\r\n"
_VERB = re.compile(r"[^ \t\r\n]+")
_WORD = re.compile(r"""(?:"(?P<quoted>[^"]*)"(?=[ \t\r\n]|$)|(?P<bare>[^ \t\r\n]+))""")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """``[prefix] verb *(SP argument)``, not yet judged."""

    verb: str
    """In lower case, at most MAX_NAME + 1 characters."""
    rest: str = ""
    """What stands behind the verb, as it was typed."""
    prefixed: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments; ``"quoted text"`` is one, without its quotation marks."""
        return tuple(
            match["bare"] if match["quoted"] is None else match["quoted"]
            for match in _WORD.finditer(self.rest)
        )

    def beyond(self, count: int) -> str:
        """What stands behind the first *count* words; in quotation marks, what is in them."""
        at = 0
        for match in list(_WORD.finditer(self.rest))[:count]:
            at = match.end()
        text = self.rest[at:].strip(_SEPARATORS)
        whole = _WORD.fullmatch(text)
        return text if whole is None or whole["quoted"] is None else whole["quoted"]


def parse_line(text: str, prefix: str) -> CommandLine | None:
    """Read one command line; None when there is no word in it."""
    text = text.strip(_SEPARATORS)
    prefixed = bool(prefix) and text.startswith(prefix)
    if prefixed:
        text = text.removeprefix(prefix).lstrip(_SEPARATORS)
    verb = _VERB.match(text)
    if verb is None:
        return None
    rest = text[verb.end() :].strip(_SEPARATORS)
    return CommandLine(verb[0][: MAX_NAME + 1].lower(), rest, prefixed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One use of a command, by a caller who may."""

    line: CommandLine
    text: str
    """The whole line, as it was typed."""
    caller: Caller
    at: datetime
    """When it was received."""
    granted: frozenset[Permission] = frozenset()
    """Which of the command's permissions the caller has."""
    message_id: MessageId | None = None
    """The inbound message that carries it."""
    taken_over: bool = False
    """Another gateway received it, on whose PC it was to happen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a command answers: ``OK verb subject (state) #id``, then *lines*."""

    outcome: CommandOutcome
    verb: str = ""
    """Empty: that of the command."""
    subject: str = ""
    state: str = ""
    lines: tuple[str, ...] = ()
    problem: Problem = Problem.NONE
    """For the audit."""
    command_id: str = ""
    """Of the audit entry, when the command made it itself."""
    more: "Callable[[], Awaitable[Reply]] | None" = None
    """What the verb ``more`` answers next."""


Run = Callable[[Call], Awaitable[Reply]]
"""Carries a command out; raises InvalidRequest when its arguments cannot be understood."""


def _no_subject(_: CommandLine) -> str:
    return ""


def _no_variant(_: CommandLine) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A verb: what it is called, who may use it, what it does."""

    name: str
    run: Run
    help: str
    """One line."""
    usage: str = ""
    """What to type; empty: the name alone."""
    aliases: tuple[str, ...] = ()
    """Other names, in lower case."""
    permissions: tuple[Permission, ...] = ()
    """Any of these is enough, and the first is what its name alone grants in a rule.

    Empty: anyone proven.
    """
    subject: Callable[[CommandLine], str] = _no_subject
    """What a rule's ``args`` are matched with, normalised; empty: nothing.

    Raises InvalidRequest.
    """
    perishable: bool = False
    """Drives the phone: not run when older than ``[chat] command_max_age``, nor elsewhere."""
    once: bool = False
    """Has an effect beyond its reply, so it runs at most once for a message.

    False also for what keeps that promise itself.
    """
    needs: tuple[Permission, ...] = ()
    """Each of these is needed too, granted as a class and not by the command's name."""
    variant: "Callable[[CommandLine], Command | None]" = _no_variant
    """The command that a line with certain arguments is; None: this one."""

    @property
    def typed(self) -> str:
        return self.usage or self.name
