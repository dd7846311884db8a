"""The chat's parts put together: built-in commands first, then those of plug-ins."""

import logging
from collections.abc import Sequence, Set as AbstractSet
from dataclasses import dataclass
from datetime import tzinfo

from gateway.address import Aor
from gateway.chat.about import About
from gateway.chat.access import Access
from gateway.chat.calls import CallCommands
from gateway.chat.command import Command
from gateway.chat.confirm import Confirmations
from gateway.chat.dispatch import Dispatcher
from gateway.chat.history import HistoryCommands
from gateway.chat.loop import LoopGuard
from gateway.chat.messages import MessageCommands
from gateway.chat.paging import Pager
from gateway.chat.phone import PhoneCommands
from gateway.chat.router import Router
from gateway.chat.vocabulary import Vocabulary
from gateway.config import Chat
from gateway.limits import KeyedLimit
from gateway.numbers import INTERNATIONAL_PREFIX
from gateway.ports import Archive, CallControl, CallLog, Clock, CommandLog, Submitter

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPorts:
    """What the commands reach."""

    call_control: CallControl
    archive: Archive
    call_log: CallLog
    submitter: Submitter
    audit: CommandLog
    clock: Clock
    timezone: tzinfo


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """What the configuration and the installation say."""

    chat: Chat
    sender_commands: str
    """``[limits] sender_commands``."""
    own_aors: AbstractSet[Aor]
    version: str
    international_prefix: str = INTERNATIONAL_PREFIX
    plugins: Sequence[Command] = ()


def chat_router(ports: ChatPorts, settings: ChatSettings) -> Router:
    """Raises ConfigError when a chat rule cannot be read."""
    chat = settings.chat
    access = Access.of(chat.rules, ports.timezone, settings.international_prefix)
    pager = Pager(max_bytes=chat.max_reply_bytes)
    commands = _commands(ports, settings, access, pager)
    vocabulary = Vocabulary(commands)
    for word in access.idle_words(commands):
        log.warning("[[chat.rules]] allow %r allows nothing: no command or class has it", word)
    for command in settings.plugins:
        if vocabulary.get(command.name) is not command:
            log.warning("the command %s of a plug-in has a name that is taken", command.name)
    return Router(
        prefix=chat.prefix,
        vocabulary=vocabulary,
        dispatcher=Dispatcher(
            vocabulary=vocabulary,
            access=access,
            limit=KeyedLimit(rate=settings.sender_commands, clock=ports.clock),
            max_age=chat.command_max_age,
            audit=ports.audit,
            clock=ports.clock,
        ),
        guard=LoopGuard(own_aors=settings.own_aors, archive=ports.archive),
        pager=pager,
        clock=ports.clock,
    )


def _commands(
    ports: ChatPorts, settings: ChatSettings, access: Access, pager: Pager
) -> tuple[Command, ...]:
    phone = PhoneCommands(
        call_control=ports.call_control,
        confirmations=Confirmations(),
        access=access,
        clock=ports.clock,
        timezone=ports.timezone,
    )
    history = HistoryCommands(archive=ports.archive, clock=ports.clock, timezone=ports.timezone)
    calls = CallCommands(call_log=ports.call_log, clock=ports.clock, timezone=ports.timezone)
    messages = MessageCommands(submitter=ports.submitter, call_control=ports.call_control)
    families = (phone, calls, history, pager, messages)
    built_in = tuple(command for family in families for command in family.commands())
    about = About(
        others=(*built_in, *settings.plugins), access=access, version=settings.version
    )
    return (*built_in, *about.commands(), *settings.plugins)
