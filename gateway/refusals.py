"""What is done about messages whose sender is not proven."""

import logging
from collections.abc import Callable

from gateway.caller import Origin
from gateway.errors import StorageUnavailable
from gateway.identity import split_source
from gateway.limits import KeyedLimit
from gateway.message import InboundRequest, Message, message_id_text, uuid7
from gateway.phone import CommandEntry, CommandOutcome, CommandState, Problem
from gateway.ports import CommandLog

log = logging.getLogger(__name__)


class Refusals:
    """Nothing is sent to an unproven sender: no amplifier, no oracle."""

    def __init__(
        self,
        *,
        audit: CommandLog,
        verb_of: Callable[[str], str],
        admission: KeyedLimit,
        remarks: KeyedLimit,
    ) -> None:
        """*verb_of* gives the command that a text is, or nothing.

        *admission* limits what is stored of a source address, *remarks* what is logged.
        """
        self._audit = audit
        self._verb_of = verb_of
        self._admission = admission
        self._remarks = remarks

    def admits(self, request: InboundRequest) -> bool:
        """Whether the request is kept in the history; beyond the limit it is not."""
        host, _ = split_source(request.source)
        return self._admission.allows(host)

    async def note(self, message: Message, doubt: str) -> None:
        """A line in the log now and then, and a row in the audit for each command."""
        source = message.source.partition(":")[2]
        host, _ = split_source(source)
        if self._remarks.allows(host):
            name = message_id_text(message.id)
            log.warning("%s from %s is not proven: %s", name, source, doubt)
        verb = self._verb_of(message.text)
        if verb:
            await self._record(message, verb, doubt)

    async def _record(self, message: Message, verb: str, doubt: str) -> None:
        entry = CommandEntry(
            id=f"cmd_{uuid7(message.created_at)}",
            at=message.created_at,
            who=message.peer,
            proof="none",
            origin=Origin.SIP,
            text=message.text,
            verb=verb,
            message_id=message.id,
            state=CommandState.DONE,
            outcome=CommandOutcome.REFUSED,
            problem=Problem.NOT_ALLOWED,
            detail=doubt,
        )
        try:
            await self._audit.record(entry)
        except StorageUnavailable as exc:
            # The message itself is stored, as refused; the batch must not fail for this.
            log.warning("no audit entry for %s: %s", message_id_text(message.id), exc)
