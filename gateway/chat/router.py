"""The router: a message or a command line in, the reply out."""

import logging
from datetime import datetime

from gateway.caller import Caller, Origin
from gateway.chat.command import Call, CommandLine, parse_line
from gateway.chat.dispatch import Dispatcher
from gateway.chat.loop import MAX_REPLIES, LoopGuard
from gateway.chat.paging import Pager
from gateway.chat.vocabulary import Vocabulary
from gateway.message import Message, MessageId, message_id_text
from gateway.phone import CommandReply
from gateway.ports import Clock

HINT = "I take commands: write help for the list. What you wrote is kept in the history."
"""Fits the smallest ``[chat] max_reply_bytes``."""

log = logging.getLogger(__name__)


class Router:
    """Responder for SIP, Commander for everybody else."""

    def __init__(
        self,
        *,
        prefix: str,
        vocabulary: Vocabulary,
        dispatcher: Dispatcher,
        guard: LoopGuard,
        pager: Pager,
        clock: Clock,
    ) -> None:
        self._prefix = prefix
        self._vocabulary = vocabulary
        self._dispatcher = dispatcher
        self._guard = guard
        self._pager = pager
        self._clock = clock

    def wants(self, message: Message) -> bool:
        if self._guard.is_ours(message):
            return False
        line = parse_line(message.text, self._prefix)
        return self._vocabulary.is_command(line) or self._earns_hint(message)

    def verb_of(self, text: str) -> str:
        """The verb of the command that *text* is; empty when it is none."""
        line = parse_line(text, self._prefix)
        return line.verb if line is not None and self._vocabulary.is_command(line) else ""

    async def respond(self, message: Message) -> tuple[str, ...]:
        if self._guard.is_ours(message):
            log.warning(
                "no reply to %s: a loop with %s", message_id_text(message.id), message.peer
            )
            return ()
        now = self._clock()
        text = _storable(message.text)
        line = parse_line(text, self._prefix)
        if line is None or not self._vocabulary.is_command(line):
            return (HINT,) if self._earns_hint(message) else ()
        caller = Caller(
            who=message.peer,
            proof=f"sip {message.source}".rstrip(),
            origin=Origin.SIP,
            aor=message.peer,
        )
        call = Call(
            line=line,
            text=text,
            caller=caller,
            at=message.created_at,
            message_id=message.id,
            taken_over=message.taken_over,
        )
        if silence := await self._silence(message, now):
            log.warning("no reply to %s: %s", message_id_text(message.id), silence)
            await self._dispatcher.refuse(call, silence)
            return ()
        reply = await self._dispatcher.dispatch(call)
        # Not before: while the store is away the same message is tried again and again.
        self._guard.replied(message.peer, now)
        return self._pager.bodies(caller.who, reply)

    def _earns_hint(self, message: Message) -> bool:
        now = self._clock()
        enough = self._guard.replied_enough(message.peer, now)
        return not enough and self._guard.hint_due(message, now)

    async def _silence(self, message: Message, now: datetime) -> str:
        """Why a command is neither run nor answered; empty when it is."""
        if self._guard.replied_enough(message.peer, now):
            return f"a loop: {message.peer} had {MAX_REPLIES} replies in a minute"
        if await self._guard.is_echo(message):
            return f"a loop: {message.peer} repeats our words"
        return ""

    async def command(
        self, text: str, caller: Caller, *, message_id: MessageId | None = None
    ) -> CommandReply:
        text = _storable(text)
        line = parse_line(text, self._prefix) or CommandLine("")
        call = Call(
            line=line, text=text, caller=caller, at=self._clock(), message_id=message_id
        )
        reply = await self._dispatcher.dispatch(call)
        return CommandReply(
            id=reply.command_id,
            outcome=reply.outcome,
            lines=self._pager.lines(caller.who, reply),
        )


def _storable(text: str) -> str:
    """Without what PostgreSQL or UTF-8 cannot hold: NUL, lone surrogates from JSON."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
