"""Who may use which command: the chat rules, and the scopes of a token."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from glob import escape
from typing import Self

from gateway.caller import Caller, Permission
from gateway.chat.command import Command
from gateway.chat.hours import Span, parse_hours, within
from gateway.config import ChatRule
from gateway.numbers import INTERNATIONAL_PREFIX, fits, readings, spellings
from gateway.phone import Verb

_IMPLIED = {Permission.HISTORY_ALL: Permission.HISTORY_OWN}
_SCOPES = {
    Permission.HISTORY_OWN: "messages:read",
    Permission.HISTORY_ALL: "messages:read",
    Permission.SEND: "messages:send",
}
"""The scope of a token that gives the permission, where their names differ."""


@dataclass(frozen=True, slots=True)
class Granted:
    """The caller may, with these of the command's permissions."""

    permissions: frozenset[Permission]


@dataclass(frozen=True, slots=True)
class Denied:
    """The caller may not: *why*, in a few words, and what to do about it."""

    why: str
    remedy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rule:
    who: tuple[str, ...]
    allow: tuple[str, ...]
    args: tuple[str, ...]
    hours: tuple[Span, ...]

    def names(self, caller: str) -> bool:
        return any(fnmatchcase(caller, pattern) for pattern in self.who)

    def permissions(self, command: Command) -> frozenset[Permission] | None:
        """What the rule grants of *command*; None: the rule does not list it."""
        names = (command.name, *command.aliases)
        listed = any(fnmatchcase(name, glob) for glob in self.allow for name in names)
        granted = {
            permission
            for permission in command.permissions
            if any(fnmatchcase(permission, pattern) for pattern in self.allow)
        }
        if listed and command.permissions:
            granted.add(command.permissions[0])
        return frozenset(_with_implied(granted)) if listed or granted else None

    def fits(self, subject: str, prefix: str) -> bool:
        """A command without an argument fits what allows, and not what denies.

        What allows is for the very number, what denies for all that it may be taken for.
        """
        if not self.args or (not subject and self.allow):
            return True
        if self.allow:
            return any(fits(spellings(subject, prefix), pattern) for pattern in self.args)
        heard = {subject, *readings(subject, prefix)}
        return any(
            fits(heard, glob) for pattern in self.args for glob in (pattern, pattern.lower())
        )


@dataclass(frozen=True, slots=True)
class Access:
    """Decides for each command; nothing is allowed that no rule and no scope allows.

    The first rule that fits caller, command, argument and hour decides; one with an
    empty ``allow`` fits every command and denies it.
    """

    rules: tuple[_Rule, ...]
    timezone: tzinfo
    international_prefix: str

    @classmethod
    def of(
        cls,
        rules: tuple[ChatRule, ...],
        timezone: tzinfo,
        international_prefix: str = INTERNATIONAL_PREFIX,
    ) -> Self:
        """Read the rules of the configuration; raises ConfigError."""
        return cls(
            tuple(
                _Rule(
                    rule.who,
                    tuple(_chat_word(word) for word in rule.allow),
                    rule.args,
                    parse_hours(rule.hours),
                )
                for rule in rules
            ),
            timezone,
            international_prefix,
        )

    def idle_words(self, commands: Iterable[Command]) -> Sequence[str]:
        """What is in an ``allow`` and fits none of *commands*, nor a class: a slip."""
        known = {str(permission) for permission in Permission}
        for command in commands:
            known |= {command.name, *command.aliases}
        words = [word for rule in self.rules for word in rule.allow]
        return [word for word in words if not any(fnmatchcase(name, word) for name in known)]

    def decide(
        self, caller: Caller, command: Command, subject: str, at: datetime
    ) -> Granted | Denied:
        """*subject* is what the rules' ``args`` are matched with; *at*, when it came."""
        for permission in command.needs:
            alone = replace(
                command, name=permission, aliases=(), permissions=(permission,), needs=()
            )
            if isinstance(denied := self.decide(caller, alone, subject, at), Denied):
                return denied
        if not command.permissions:
            return Granted(frozenset())
        if caller.permissions is not None:
            return _by_scopes(caller.permissions, command)
        if caller.aor is None:
            return Denied("not allowed")
        return self._by_rules(caller.aor, command, subject, at.astimezone(self.timezone))

    def _by_rules(
        self, aor: str, command: Command, subject: str, at: datetime
    ) -> Granted | Denied:
        near = "not allowed"
        for rule in self.rules:
            granted = rule.permissions(command)
            if not rule.names(aor) or (rule.allow and granted is None):
                continue
            suits = rule.fits(subject, self.international_prefix)
            now = within(rule.hours, at)
            if suits and now:
                return Granted(granted) if granted else Denied("denied by a rule")
            if rule.allow:
                near = f"not allowed {'at this hour' if suits else 'with this argument'}"
        return Denied(near, _missing_rule(aor, command))


def _by_scopes(permissions: frozenset[Permission], command: Command) -> Granted | Denied:
    granted = _with_implied(permissions) & frozenset(command.permissions)
    if granted:
        return Granted(granted)
    scope = _SCOPES.get(command.permissions[0], command.permissions[0].value)
    return Denied(
        f"the token lacks the scope {scope}",
        (f"Create one that has it: sip-gateway token create NAME --scope {scope}",),
    )


def _with_implied(
    permissions: frozenset[Permission] | set[Permission],
) -> frozenset[Permission]:
    return frozenset(permissions) | {_IMPLIED[p] for p in permissions if p in _IMPLIED}


def _missing_rule(aor: str, command: Command) -> tuple[str, ...]:
    # The sender chose the user part: a * in it must not become a glob in the rule.
    return (
        "Who administers the gateway can allow it in its configuration:",
        "[[chat.rules]]",
        f"who = [{json.dumps(escape(aor), ensure_ascii=False)}]",
        f"allow = [{json.dumps(command.name)}]",
    )


def _chat_word(word: str) -> str:
    verb = Verb.named(word)
    return word.lower() if verb is None else verb.value
