"""The commands about the gateway itself: help, whoami, ping, version."""

from collections.abc import Sequence

from gateway.chat.access import Access, Granted
from gateway.chat.command import Call, Command, Reply
from gateway.chat.reply import shown
from gateway.chat.vocabulary import Vocabulary
from gateway.phone import CommandOutcome, Problem

_ANYONE = "anyone"


class About:
    """Explains *others* and the four commands it has itself."""

    def __init__(self, *, others: Sequence[Command], access: Access, version: str) -> None:
        self._others = tuple(others)
        self._access = access
        self._version = version

    def commands(self) -> tuple[Command, ...]:
        return (
            Command(
                name="help",
                usage="help [VERB]",
                help="Lists the verbs, or explains one.",
                run=self._help,
            ),
            Command(
                name="whoami",
                help="Who you are to the gateway, and what you may do.",
                run=self._whoami,
            ),
            Command(name="ping", help="Answers at once.", run=self._ping),
            Command(name="version", help="The gateway's version.", run=self._tell_version),
        )

    async def _help(self, call: Call) -> Reply:
        words = call.line.words
        if words:
            return self._explain(words[0])
        by_class: dict[str, list[str]] = {}
        for command in self._all():
            by_class.setdefault(_class(command), []).append(command.name)
        return Reply(
            outcome=CommandOutcome.CONFIRMED,
            state="help VERB says more",
            lines=tuple(f"{name}: {' '.join(verbs)}" for name, verbs in by_class.items()),
        )

    def _explain(self, verb: str) -> Reply:
        vocabulary = Vocabulary(self._all())
        command = vocabulary.get(verb)
        if command is None:
            return Reply(
                outcome=CommandOutcome.FAILED,
                subject=verb,
                state=vocabulary.no_such_verb(verb),
                problem=Problem.INVALID,
            )
        names = ", ".join(command.aliases)
        return Reply(
            outcome=CommandOutcome.CONFIRMED,
            subject=command.name,
            lines=(
                f"{command.typed} - {command.help}",
                f"For: {_class(command)}" + (f". Also called: {names}" if names else ""),
            ),
        )

    async def _whoami(self, call: Call) -> Reply:
        caller = call.caller
        lines = [f"May use: {' '.join(self._allowed(call))}"]
        if caller.permissions is not None:
            scopes = " ".join(sorted(caller.permissions)) or "none"
            lines.insert(0, f"By its scopes: {scopes}")
        return Reply(
            outcome=CommandOutcome.CONFIRMED,
            subject=caller.who,
            state=shown(caller.proof, 100),
            lines=tuple(lines),
        )

    def _allowed(self, call: Call) -> list[str]:
        return [
            command.name
            for command in self._all()
            if isinstance(self._access.decide(call.caller, command, "", call.at), Granted)
        ]

    async def _ping(self, call: Call) -> Reply:
        return Reply(outcome=CommandOutcome.CONFIRMED, subject=call.line.rest, state="pong")

    async def _tell_version(self, _: Call) -> Reply:
        return Reply(outcome=CommandOutcome.CONFIRMED, subject=self._version)

    def _all(self) -> tuple[Command, ...]:
        return (*self._others, *self.commands())


def _class(command: Command) -> str:
    return " or ".join(command.permissions) or _ANYONE
