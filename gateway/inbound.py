"""The way of an inbound message: recognise, store, respond, settle."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from gateway.address import Aor
from gateway.errors import ConflictError
from gateway.identity import ANONYMOUS, Recognised
from gateway.message import (
    TEXT_PLAIN,
    Arrival,
    Direction,
    Flag,
    InboundRequest,
    Message,
    MessageId,
    Status,
    message_id_text,
)
from gateway.metrics import Metrics
from gateway.outbox import Outbox
from gateway.patience import Patience
from gateway.ports import Inbox, Responder
from gateway.refusals import Refusals

log = logging.getLogger(__name__)

_UNREAD = "the gateway could not read it; the log says why"
_BROKEN = (
    "WAIT (the gateway broke off: look whether it was done before you write it again;"
    " its log says why)"
)
"""Not ERR, which says that it did not happen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundSettings:
    """How the answering is done."""

    concurrency: int = 32
    """How many peers are answered at a time."""
    grace: timedelta = timedelta(seconds=5.5)
    """How long a stopping gateway waits for answers begun.

    As long as MicroSIP has for a command; one that hangs then costs 2 s more, as does a
    registrar that does not answer, and a gateway stops within 10 s. What was not answered
    is at the next start.
    """
    patience: Patience = field(default_factory=Patience)


class Inbound:
    """Takes what the journal brings, and answers it."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        responder: Responder,
        outbox: Outbox,
        recognise: Callable[[InboundRequest], Recognised],
        refusals: Refusals,
        metrics: Metrics,
        settings: InboundSettings,
    ) -> None:
        self._inbox = inbox
        self._responder = responder
        self._outbox = outbox
        self._recognise = recognise
        self._refusals = refusals
        self._metrics = metrics
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._admitted: set[MessageId] = set()
        self._held: set[MessageId] = set()
        """Handed over, and not answered yet."""
        self._arrived: asyncio.Queue[Message] = asyncio.Queue()
        self._lanes: dict[Aor, deque[Message]] = {}
        self._serving: set[asyncio.Task[None]] = set()

    async def receive(self, batch: Sequence[InboundRequest]) -> None:
        """Store the *batch*; what needs an answer is answered by ``run``."""
        arrivals: list[Arrival] = []
        doubts: dict[MessageId, str] = {}
        for request in batch:
            recognised, arrival = self._read(request)
            if not recognised.proven:
                if not self._admits(request):
                    continue
                doubts[request.id] = recognised.doubt
            arrivals.append(arrival)
        held = frozenset(self._held)  # those answered meanwhile were still waiting here
        stored = await self._inbox.add_inbound(arrivals)
        self._admitted.clear()
        to_answer = {a.message.id for a in arrivals if a.needs_answer}
        self._hand_over(stored, to_answer - held)
        for status, count in Counter(message.status for message in stored).items():
            self._metrics.inbound.labels(status.value).inc(count)
        for message in stored:
            if message.status is Status.REFUSED:
                await self._refusals.note(message, doubts[message.id])

    def _read(self, request: InboundRequest) -> tuple[Recognised, Arrival]:
        try:
            recognised = self._recognise(request)
            return recognised, self._arrival(request, recognised)
        except Exception:  # it would come again for ever, and nothing behind it be stored
            log.exception("%s is refused unread", message_id_text(request.id))
            unread = Recognised(account=None, peer=ANONYMOUS, doubt=_UNREAD)
            return unread, self._arrival(request, unread)

    def _admits(self, request: InboundRequest) -> bool:
        """Once for a request: a batch that could not be stored comes again."""
        if request.id not in self._admitted:
            if not self._refusals.admits(request):
                self._metrics.inbound.labels("dropped").inc()
                return False
            self._admitted.add(request.id)
        return True

    def _arrival(self, request: InboundRequest, recognised: Recognised) -> Arrival:
        message = _message(request, recognised)
        answerable = (
            recognised.proven
            and recognised.account is not None
            and recognised.account.mode == "bot"
            and not recognised.own_words
            and message.content_type == TEXT_PLAIN
            and Flag.TRUNCATED not in message.flags  # a command cut short is another one
        )
        return Arrival(
            message=message, needs_answer=answerable and self._responder.wants(message)
        )

    def _hand_over(self, stored: Sequence[Message], to_answer: set[MessageId]) -> None:
        for message in stored:
            if message.id in to_answer:
                self._held.add(message.id)
                self._arrived.put_nowait(message)

    def take(self, messages: Sequence[Message]) -> None:
        """Answer these as well: another gateway received them, and stopped."""
        for message in messages:
            if message.id not in self._held:
                self._held.add(message.id)
                self._arrived.put_nowait(message)
                log.warning(
                    "%s is taken over from a gateway that stopped", message_id_text(message.id)
                )

    async def run(self) -> None:
        """Until cancelled: answer, in order for a peer, several peers at a time.

        What a crash left unanswered comes first.
        """
        left = await self._settings.patience.insist("answering", self._inbox.unhandled)
        known = {message.id for message in left}
        self._held |= known
        async with asyncio.TaskGroup() as group:
            try:
                for message in left:
                    self._assign(message, group)
                while True:
                    message = await self._arrived.get()
                    if message.id in known:
                        # It was stored before this run began, so it was among what is left.
                        known.discard(message.id)
                    else:
                        self._assign(message, group)
            finally:
                await self._finish()

    def _assign(self, message: Message, group: asyncio.TaskGroup) -> None:
        if message.peer in self._lanes:
            self._lanes[message.peer].append(message)
            return
        self._lanes[message.peer] = deque([message])
        serving = group.create_task(self._serve(message.peer), name=f"answer {message.peer}")
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _serve(self, peer: Aor) -> None:
        lane = self._lanes[peer]
        while lane:
            async with self._slots:
                if lane:  # a stop empties it
                    await self._answer(lane.popleft())
        del self._lanes[peer]

    async def _finish(self) -> None:
        """Let the answers that were begun be given; the store keeps the others."""
        for lane in self._lanes.values():
            lane.clear()
        if self._serving:
            await asyncio.wait(self._serving, timeout=self._settings.grace.total_seconds())

    async def _answer(self, message: Message) -> None:
        texts = await self._texts(message)
        replies = self._outbox.reply(message, texts)
        try:
            await self._settings.patience.insist(
                f"the answer to {message.id}",
                lambda: self._inbox.settle_inbound(message.id, replies),
            )
        except ConflictError as exc:
            # The database went away after a commit that was not acknowledged any more.
            log.warning(
                "the answer to %s is stored already: %s", message_id_text(message.id), exc
            )
        self._held.discard(message.id)

    async def _texts(self, message: Message) -> Sequence[str]:
        """What the responder says; when it breaks, that it broke: nothing is tried twice.

        A message that breaks its responder must neither be answered for ever nor keep
        others from being answered.
        """
        try:
            return await self._settings.patience.insist(
                f"the response to {message.id}", lambda: self._responder.respond(message)
            )
        except Exception:  # commands of plug-ins run here
            log.exception("no response to %s", message_id_text(message.id))
            return (_BROKEN,)


def _message(request: InboundRequest, recognised: Recognised) -> Message:
    account = recognised.account
    flags = request.flags
    status = Status.RECEIVED
    if account is None:
        flags |= {Flag.UNKNOWN_RECIPIENT}
        status = Status.REFUSED
    elif account.mode == "bot" and not recognised.proven:
        status = Status.REFUSED
    return Message(
        id=request.id,
        direction=Direction.INBOUND,
        account=account.name if account else "",
        peer=recognised.peer,
        from_uri=request.from_uri,
        to_uri=request.to_uri,
        text=request.text,
        created_at=request.received_at,
        status=status,
        content_type=request.content_type,
        raw_body=request.raw_body,
        call_id=request.call_id,
        cseq=request.cseq,
        from_tag=request.from_tag,
        proven=recognised.proven,
        source=f"{request.transport.lower()}:{request.source}",
        flags=flags,
    )
