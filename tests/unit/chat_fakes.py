"""Fakes of what the chat commands reach."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from gateway.address import Aor
from gateway.archive import Archived, Page, Place
from gateway.caller import Caller
from gateway.errors import InvalidRequest, PhoneError, StorageUnavailable
from gateway.message import Direction, Message, MessageId, Status, uuid7
from gateway.phone import CommandEntry, CommandOutcome, CommandResult, PhoneRequest, Problem
from gateway.phone_message import PhoneMessage
from gateway.phone_status import PhoneState, PhoneStatus
from gateway.query import HistoryQuery

START = datetime(2026, 11, 4, 9, 30, tzinfo=UTC)  # a Wednesday
BOT = Aor("sip:bot@office.example")


@dataclass
class FakeClock:
    """Stands still until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class FakeCallControl:
    """Answers each request as told, a message's second one with the first's result."""

    outcome: CommandOutcome = CommandOutcome.CONFIRMED
    problem: Problem = Problem.NONE
    evidence: str = "idle -> dialing"
    detail: str = ""
    raw: str = "Ready"
    simulated: bool = False
    requests: list[PhoneRequest] = field(default_factory=list)
    written: list[PhoneMessage] = field(default_factory=list)

    @property
    def commands(self) -> list[str]:
        return [str(request.command) for request in self.requests]

    async def execute(self, request: PhoneRequest) -> CommandResult:
        self.requests.append(request)
        return CommandResult(
            command_id=f"cmd_{len(self.requests):032x}",
            command=request.command,
            outcome=self.outcome,
            problem=self.problem,
            evidence=self.evidence,
            detail=self.detail,
            status=await self.status(),
            simulated=self.simulated,
        )

    async def status(self) -> PhoneStatus:
        return PhoneStatus(
            state=PhoneState.IDLE, raw=self.raw, source="fake", observed_at=START
        )

    async def write(self, message: PhoneMessage) -> str:
        if self.problem:
            raise PhoneError(self.problem, self.detail)
        self.written.append(message)
        return "sent; MicroSIP does not report it"


@dataclass
class FakeArchive:
    """Messages in memory, found by words, peers, direction and time."""

    messages: list[Message] = field(default_factory=list)

    async def find(
        self,
        query: HistoryQuery,
        *,
        within: Aor | None = None,
        place: Place | None = None,
        oldest_first: bool = False,
    ) -> Page:
        assert not oldest_first
        before = place.archive_id if place else len(self.messages) + 1
        found = [
            Archived(number, message)
            for number, message in enumerate(self.messages, 1)
            if number < before and within in {None, message.peer} and _holds(query, message)
        ][::-1]
        return Page(
            items=tuple(found[: query.limit]),
            has_next=len(found) > query.limit,
            has_previous=place is not None,
        )

    async def get(self, message_id: MessageId) -> None: ...

    async def told(self, peer: Aor, since: datetime, until: datetime, among: int) -> list[str]:
        last = [message for message in self.messages if message.peer == peer][-among:]
        return [
            message.text
            for message in last
            if message.direction is Direction.OUTBOUND and since <= message.created_at < until
        ]

    async def attempts(self, message_id: MessageId) -> tuple[()]:
        return ()

    async def conversations(
        self, limit: int, *, place: Place | None = None
    ) -> tuple[tuple[()], bool]:
        return (), False


def _holds(query: HistoryQuery, message: Message) -> bool:
    return (
        query.direction in {None, message.direction}
        and all(word.lower() in message.text.lower() for word in query.words)
        and all(
            peer in {message.peer, message.peer[4:].partition("@")[0]} for peer in query.peers
        )
        and (query.since is None or message.created_at >= query.since)
        and (query.until is None or message.created_at < query.until)
    )


@dataclass
class FakeSubmitter:
    """Queues nothing, and remembers it."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    kept: list[PhoneMessage] = field(default_factory=list)

    async def send_for(self, caller: Caller, recipient: str, text: str) -> Message:
        if recipient.startswith("!"):
            raise InvalidRequest("not an address; type: send 1002 TEXT")
        self.sent.append((caller.who, recipient, text))
        return outbound(text, peer=f"sip:{recipient}@office.example")

    async def keep_written(self, message: PhoneMessage) -> Message:
        self.kept.append(message)
        return outbound(message.text, status=Status.RELAYED)


@dataclass
class FakeCommandLog:
    """The audit in a dict; one entry for a message."""

    entries: dict[str, CommandEntry] = field(default_factory=dict)

    async def begin(self, entry: CommandEntry) -> CommandEntry | None:
        for earlier in self.entries.values():
            if entry.message_id is not None and earlier.message_id == entry.message_id:
                return earlier
        self.entries[entry.id] = entry
        return None

    async def finish(self, entry: CommandEntry) -> None:
        assert entry.id in self.entries
        self.entries[entry.id] = entry

    async def record(self, entry: CommandEntry) -> None:
        assert entry.id not in self.entries
        self.entries[entry.id] = entry

    async def commands(
        self, limit: int, *, before: str | None = None
    ) -> Sequence[CommandEntry]:
        assert before is None
        return [*self.entries.values()][: -limit - 1 : -1]

    async def dialled_since(self, since: datetime, *, who: str | None = None) -> int:
        raise NotImplementedError(since, who)


class EndlessCommandLog(FakeCommandLog):
    """The database goes away before the end of a command can be written down."""

    async def finish(self, entry: CommandEntry) -> None:
        raise StorageUnavailable(entry.id)


def inbound(
    text: str, *, peer: str = "sip:101@office.example", at: datetime = START
) -> Message:
    return Message(
        id=MessageId(uuid7(at)),
        direction=Direction.INBOUND,
        account="bot",
        peer=Aor(peer),
        from_uri=peer,
        to_uri=BOT,
        text=text,
        created_at=at,
        status=Status.RECEIVED,
        proven=True,
        source="udp:10.0.0.5:5060",
    )


def outbound(
    text: str,
    *,
    peer: str = "sip:101@office.example",
    at: datetime = START,
    status: Status = Status.QUEUED,
) -> Message:
    return replace(
        inbound(text, peer=peer, at=at),
        direction=Direction.OUTBOUND,
        from_uri=BOT,
        to_uri=peer,
        status=status,
    )
