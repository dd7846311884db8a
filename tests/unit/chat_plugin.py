"""An example plug-in: a third party's command for the chat."""

from collections.abc import Iterable

from gateway.caller import Permission
from gateway.chat.command import Call, Command, Reply
from gateway.errors import InvalidRequest
from gateway.phone import CommandOutcome

NAMES = {"101": "Ada", "102": "Grace"}


async def look_up(call: Call) -> Reply:
    """``who 101`` is answered ``OK who 101 (Ada) #id``."""
    if len(call.line.words) != 1:
        raise InvalidRequest("who takes an extension; type: who 101")
    extension = call.line.words[0]
    name = NAMES.get(extension)
    if name is None:
        return Reply(
            outcome=CommandOutcome.FAILED, subject=extension, state="nobody has this extension"
        )
    return Reply(outcome=CommandOutcome.CONFIRMED, subject=extension, state=name)


def commands() -> Iterable[Command]:
    """What ``[project.entry-points."gateway.plugins"]`` names."""
    yield Command(
        name="who",
        usage="who EXTENSION",
        help="Whose extension it is.",
        run=look_up,
        aliases=("whois",),
        permissions=(Permission.PHONE_READ,),
        subject=lambda line: next(iter(line.words), ""),
    )


async def _break(call: Call) -> Reply:
    raise KeyError(call.line.rest)


async def _return_text(_: Call) -> Reply:
    return "done"  # type: ignore[return-value]  # what an untyped plug-in may do


def _broken_subject(_: object) -> str:
    raise RuntimeError


def broken_commands() -> Iterable[Command]:
    """Each goes wrong in its own way when it is used."""
    yield Command(name="breaks", help="", run=_break)
    yield Command(name="mumbles", help="", run=_return_text)
    yield Command(name="stumbles", help="", run=look_up, subject=_broken_subject)


def badly_named() -> Iterable[Command]:
    yield Command(name="two words", help="", run=look_up)


def no_commands() -> Iterable[object]:
    yield "not a command"


def broken() -> Iterable[Command]:
    raise RuntimeError("this plug-in does not load")
