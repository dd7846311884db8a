"""The seams: every Protocol that has a real and a fake side, with its promise."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from gateway.address import Aor
from gateway.archive import Archived, Conversation, Page, Place
from gateway.bearer_token import Token
from gateway.call import Call
from gateway.call_log import CallCommit, CallQuery
from gateway.caller import Caller
from gateway.events import Event
from gateway.hook_delivery import HookDelivery, HookEntry, HookReceipt
from gateway.idempotency import Claim, IdempotencyKey, StoredResponse
from gateway.message import (
    Arrival,
    Attempt,
    Delivery,
    DeliveryId,
    FinalResponse,
    InboundRequest,
    Message,
    MessageId,
    Settlement,
    Status,
    Submission,
)
from gateway.phone import CommandEntry, CommandReply, CommandResult, PhoneCommand, PhoneRequest
from gateway.phone_message import PhoneMessage
from gateway.phone_status import Look, PhoneStatus
from gateway.query import HistoryQuery
from gateway.webhook_delivery import WebhookDelivery, WebhookSettlement, WebhookState

Clock = Callable[[], datetime]
"""Returns the current time, always aware and in UTC."""

InboundHandler = Callable[[Sequence[InboundRequest]], Awaitable[None]]
"""Returns when a batch of the journal is committed; what comes again is stored once."""


# --- the store ------------------------------------------------------------------------
# Every method is one transaction and returns after its commit. One that raises
# StorageUnavailable changed nothing, unless its commit's acknowledgement was lost.


class Inbox(Protocol):
    """The inbound half of the message store."""

    async def add_inbound(self, arrivals: Sequence[Arrival]) -> Sequence[Message]:
        """Store those not stored before; return them, and any of these ids yet unanswered.

        Known by id, or by (account, proven, call_id, cseq, from_tag). A proven sender
        becomes a known peer whose deliveries are due at once.
        """

    async def unhandled(self) -> Sequence[Message]:
        """This node's that have no answer yet, oldest first: what a crash left."""

    async def settle_inbound(
        self, message_id: MessageId, replies: Sequence[Submission]
    ) -> None:
        """Mark the message answered and queue its *replies*, in one transaction.

        What waits for the peer goes from now on where its replies go.
        """


class DeliveryQueue(Protocol):
    """The outbound half of the message store: a transactional outbox.

    Deliveries of one peer leave in the order they were added, one at a time; a deferred
    head holds back its peer alone. A delivery whose lease ran out may be leased again:
    its attempt may have been made, so its message gets the flag ``resent``.
    """

    async def add_outbound(
        self,
        submission: Submission,
        *,
        completes: tuple[IdempotencyKey, StoredResponse] | None = None,
    ) -> None:
        """Queue a message, and store the response to its idempotency key with it."""

    async def lease_due(
        self, now: datetime, lease: timedelta, limit: int, per_destination: int
    ) -> Sequence[Delivery]:
        """The oldest due delivery of each peer that has none leased, at most *limit*.

        At most *per_destination* go to one destination, but for those silent by now.
        """

    async def settle(self, settlement: Settlement) -> Status | None:
        """Record the attempt and the outcome; the message's status if that made it final."""

    async def release(self, delivery_ids: Sequence[DeliveryId]) -> None:
        """Hand back leases whose attempt was not made: due again at once."""

    async def next_due(self, now: datetime) -> datetime | None:
        """When lease_due has something next, as far as known; None: nothing is queued."""

    async def account_returned(self, account: str, now: datetime) -> None:
        """The account's registrar answers again: its deliveries are due at once."""

    async def cancel(self, message_id: MessageId, now: datetime) -> Message | None:
        """Cancel what is not final; None when unknown; raises ConflictError when final."""

    async def resend(self, message_id: MessageId, submission: Submission) -> None:
        """Queue *submission* as a new message; raises ConflictError when not final."""


class Archive(Protocol):
    """The message history."""

    async def find(
        self,
        query: HistoryQuery,
        *,
        within: Aor | None = None,
        place: Place | None = None,
        oldest_first: bool = False,
    ) -> Page:
        """A page of at most ``query.limit``; *within* limits it to one peer's messages."""

    async def get(self, message_id: MessageId) -> Archived | None: ...

    async def told(
        self, peer: Aor, since: datetime, until: datetime, among: int
    ) -> Sequence[str]:
        """What *peer* was sent in that time, of the last *among* with it before its end."""

    async def attempts(self, message_id: MessageId) -> Sequence[Attempt]:
        """Oldest first."""

    async def conversations(
        self, limit: int, *, place: Place | None = None
    ) -> tuple[Sequence[Conversation], bool]:
        """Newest first, and whether there are more."""


class CommandLog(Protocol):
    """The audit of commands, and what keeps one from happening twice."""

    async def begin(self, entry: CommandEntry) -> CommandEntry | None:
        """Commit *entry* as started and return None.

        When its message has an entry already, of any node, that is returned and nothing
        stored: the command must not be run. One whose own ``begin`` raised here gives way.
        """

    async def finish(self, entry: CommandEntry) -> None:
        """Replace the started entry of its id; at the latest with its SIP message's answer."""

    async def record(self, entry: CommandEntry) -> None:
        """Store an entry that is done: a refusal, or a command that touches no phone."""

    async def commands(
        self, limit: int, *, before: str | None = None
    ) -> Sequence[CommandEntry]:
        """Newest first; *before* is the id of the last entry of the page before."""

    async def dialled_since(self, since: datetime, *, who: str | None = None) -> int:
        """How many dialling commands since then: to this node's MicroSIP, or *who*'s to any."""


class HookLog(Protocol):
    """Inbound webhooks and the messages made of them."""

    async def add_hook(
        self, delivery: HookDelivery, submissions: Sequence[Submission]
    ) -> HookReceipt:
        """Store it with its messages; a duplicate stores nothing and gives the first's."""

    async def hook_delivery(self, delivery_id: str) -> HookDelivery | None: ...

    async def hook_deliveries(self, limit: int, *, before: str = "") -> Sequence[HookEntry]:
        """Newest first; *before* is the id of the last one of the page before."""


class WebhookQueue(Protocol):
    """Outbound webhooks: each leaves at least once or ends as dead, in no certain order."""

    async def lease_webhooks(
        self, endpoint: str, now: datetime, lease: timedelta, limit: int
    ) -> Sequence[WebhookDelivery]:
        """Those due, oldest first; none while *endpoint* is disabled.

        One whose lease ran out may be leased again, though its attempt may have been made.
        """

    async def next_webhook(self, endpoint: str) -> datetime | None:
        """When lease_webhooks has something next; None: nothing waits, or may leave."""

    async def settle_webhook(self, settlement: WebhookSettlement) -> None:
        """Record the attempt and end the lease; one that disables its endpoint does so."""

    async def add_webhook(self, event: Event, endpoint: str) -> WebhookDelivery:
        """Queue *event* for *endpoint* alone, whatever that subscribed to."""

    async def webhooks(
        self, endpoint: str, limit: int, *, before: str = "", state: WebhookState | None = None
    ) -> Sequence[WebhookDelivery]:
        """Newest first; *before* is the id of the last one of the page before."""

    async def replay_webhook(self, webhook_id: str, now: datetime) -> WebhookDelivery | None:
        """Due once more, with its whole schedule; raises ConflictError while it is open."""

    async def disabled_endpoints(self) -> Mapping[str, datetime]:
        """Since when, of those that are gone (410)."""

    async def enable_endpoint(self, endpoint: str) -> None:
        """Send there again, first what waits."""


class CallLog(Protocol):
    """The calls of MicroSIP: each node adds to those of its own, and lists all."""

    async def store_call(self, commit: CallCommit) -> None:
        """Store the call as it is now, and what belongs to that, in one transaction.

        A commit whose cause is stored already changes nothing. A repeated one without a
        cause raises ConflictError, when it has events or notices.
        """

    async def merge_calls(self, calls: Sequence[Call]) -> Sequence[Call]:
        """Store what ``[Calls]`` tells: new calls, and what hooks did not tell of others.

        Returns those that are new or changed.
        """

    async def calls(self, query: CallQuery, *, before: str = "") -> Sequence[Call]:
        """Newest first; *before* is the id of the last call of the page before."""

    async def call(self, call_id: str) -> Call | None: ...

    async def ongoing(self) -> Sequence[Call]:
        """This node's without an end, oldest first: what a restart has to go on from."""


class Tokens(Protocol):
    """Bearer tokens, stored as hashes."""

    async def create_token(self, name: str, scopes: frozenset[str], secret: str) -> Token:
        """Raises ConflictError when the name is taken."""

    async def replace_token(self, name: str, scopes: frozenset[str], secret: str) -> Token:
        """Create it, in the place of an older one of this name."""

    async def tokens(self) -> Sequence[Token]: ...

    async def revoke_token(self, name: str) -> bool:
        """False when there is none of this name."""

    async def token_for(self, secret: str) -> Token | None:
        """None for one that was revoked, a second after that at the latest."""


class Idempotency(Protocol):
    """Responses by idempotency key, kept 7 days."""

    async def claim(
        self, key: IdempotencyKey, fingerprint: str, now: datetime
    ) -> Claim | StoredResponse:
        """Take the key for a request with this body *fingerprint*."""

    async def complete(self, key: IdempotencyKey, response: StoredResponse) -> None: ...

    async def abandon(self, key: IdempotencyKey) -> None:
        """The request had no effect: the key may be used again."""


# --- SIP ------------------------------------------------------------------------------


class Sender(Protocol):
    """Makes one attempt at one delivery."""

    async def send(self, delivery: Delivery) -> FinalResponse:
        """Raises SendError if no final response was received."""


# --- chat -----------------------------------------------------------------------------


class Responder(Protocol):
    """Turns an inbound message into the texts to answer with."""

    def wants(self, message: Message) -> bool:
        """Whether *message* is to be answered: a command, or text that earns the hint."""

    async def respond(self, message: Message) -> Sequence[str]:
        """The bodies to send, at most three; a command in it runs at most once, ever."""


class Commander(Protocol):
    """The chat language for callers that are not on SIP."""

    async def command(
        self, text: str, caller: Caller, *, message_id: MessageId | None = None
    ) -> CommandReply:
        """Run one line; with a *message_id*, at most once for that id."""


class Submitter(Protocol):
    """What a chat command needs of the outbox."""

    async def keep_written(self, message: PhoneMessage) -> Message:
        """Keep in the history what MicroSIP took to send as its own user's: relayed."""

    async def send_for(self, caller: Caller, recipient: str, text: str) -> Message:
        """Queue ``101: text``; the caller is told once if it fails or expires.

        Raises InvalidRequest when *recipient* is no address.
        """


# --- MicroSIP -------------------------------------------------------------------------


class CallControl(Protocol):
    """First-party control of a softphone."""

    async def execute(self, request: PhoneRequest) -> CommandResult:
        """Guard, audit, pace, hand over, read back. Never raises PhoneError.

        The audit entry is committed as started before the phone is touched. A request
        whose message has an entry already is not run: the result is that entry's, and
        ``Problem.INTERRUPTED`` when it never came to an end.
        """

    async def status(self) -> PhoneStatus:
        """Raises PhoneError when there is no MicroSIP or it does not respond."""

    async def write(self, message: PhoneMessage) -> str:
        """Guard, pace, hand over; what is known of it then, in words, is never "delivered".

        The caller keeps the audit, and so that it happens once. Raises PhoneError: with
        ``Problem.NOT_RESPONDING`` it may be sent all the same, with any other it is not.
        """


class CallWatch(Protocol):
    """What is known of MicroSIP's calls without asking it."""

    async def recent(self) -> Sequence[Call]:
        """The calls that go on, and those that ended in the last minute; newest first."""

    def declining(self) -> None:
        """A reject is handed over: who rings now is declined here, and not missed."""


class Channel(Protocol):
    """One way of talking to MicroSIP: it hands a command over, it does not judge."""

    @property
    def name(self) -> str:
        """``dde``, ``simulated`` ..."""

    @property
    def simulated(self) -> bool: ...

    def phrase(self, command: PhoneCommand) -> str:
        """The string MicroSIP is handed, for the log."""

    async def execute(self, command: PhoneCommand) -> None:
        """Returns when MicroSIP took it; raises PhoneError.

        ``Problem.NOT_RESPONDING``: it may or may not have been carried out, and is not
        tried again. Any other problem: it was not.
        """

    async def status(self) -> Look:
        """What MicroSIP shows now. Raises PhoneError."""

    async def write(self, message: PhoneMessage) -> None:
        """Returns when MicroSIP took it, to be sent as its own user's; raises PhoneError.

        As ``execute`` does, and ``Problem.FAILED`` where this way has no messages.
        """


# --- health ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Health:
    """Of one part; *required* parts decide ``/readyz``."""

    part: str
    ok: bool
    detail: str
    required: bool = True


class Probe(Protocol):
    """Something that can say how it is."""

    async def health(self) -> Sequence[Health]: ...
