"""Commands of third parties, by the entry points ``gateway.plugins``."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import TracebackType
from typing import Any

from gateway.chat.command import MAX_NAME, Call, Command, CommandLine, Reply
from gateway.errors import InvalidRequest
from gateway.phone import CommandOutcome, Problem

GROUP = "gateway.plugins"
TIME_LIMIT = 30.0
"""Seconds that one command of a plug-in may take."""

_NAME = re.compile(rf"[a-z][a-z0-9_-]{{0,{MAX_NAME - 1}}}")

log = logging.getLogger(__name__)


class _Contained:
    """Ends any exception of a plug-in here, in the log; InvalidRequest is an answer."""

    def __init__(self, plugin: str) -> None:
        self._plugin = plugin

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception) or isinstance(error, InvalidRequest):
            return False
        log.error("plug-in %s failed", self._plugin, exc_info=error)
        return True


def load_plugins(entry_points: Iterable[EntryPoint]) -> tuple[Command, ...]:
    """The commands of those that load; each entry point names a function giving them."""
    found: list[Command] = []
    for entry_point in entry_points:
        with _Contained(entry_point.name):
            give: Callable[[], Iterable[Any]] = entry_point.load()
            found += [_checked(entry_point.name, command) for command in give()]
    return tuple(found)


def _checked(plugin: str, command: object) -> Command:
    if not isinstance(command, Command):
        raise TypeError(f"{command!r} is no gateway.chat.command.Command")
    for name in (command.name, *command.aliases):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a command")
    return contained(plugin, command)


def contained(plugin: str, command: Command, time_limit: float = TIME_LIMIT) -> Command:
    """*command*, answering ERR where it would raise, hang or return something else."""

    async def run(call: Call) -> Reply:
        with _Contained(plugin):
            async with asyncio.timeout(time_limit):
                reply: object = await command.run(call)
            if isinstance(reply, Reply):
                return replace(reply, command_id="")
            log.error("plug-in %s returned %r", plugin, type(reply))
        return Reply(
            outcome=CommandOutcome.FAILED,
            subject=call.line.rest,
            state=f"the plug-in {plugin} failed; the gateway's log says why",
            problem=Problem.FAILED,
        )

    def subject(line: CommandLine) -> str:
        with _Contained(plugin):
            return str(command.subject(line))
        raise InvalidRequest(f"the plug-in {plugin} failed")

    return replace(command, run=run, subject=subject, once=True)
