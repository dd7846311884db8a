"""Messages and deliveries: the values that cross every boundary."""

import random
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from gateway.address import Aor

MessageId = NewType("MessageId", UUID)
DeliveryId = NewType("DeliveryId", UUID)

TEXT_PLAIN = "text/plain"
MESSAGE_ID_PREFIX = "msg_"
_FIXED_BITS = 0xF << 76 | 0b11 << 62
_VERSION_7 = 7 << 76 | 0b10 << 62


def uuid7(now: datetime) -> UUID:
    """A time-ordered UUID, version 7 (RFC 9562, section 5.7)."""
    milliseconds = int(now.timestamp() * 1000)
    noise = random.getrandbits(80)  # an id is no secret: the kernel is not asked for each
    return UUID(int=(milliseconds << 80 | noise) & ~_FIXED_BITS | _VERSION_7)


def message_id_text(message_id: MessageId) -> str:
    """As the interface and the log show it."""
    return f"{MESSAGE_ID_PREFIX}{message_id}"


class Direction(StrEnum):
    """Seen from the gateway."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Status(StrEnum):
    """Where a message stands; a final status never changes."""

    QUEUED = "queued"
    SENDING = "sending"
    WAITING = "waiting"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELED = "canceled"
    RECEIVED = "received"
    REFUSED = "refused"

    @property
    def is_final(self) -> bool:
        return self not in {Status.QUEUED, Status.SENDING, Status.WAITING, Status.RETRYING}


class Flag(StrEnum):
    """What a reader of the history must know about a message."""

    TRUNCATED = "truncated"
    UNDECODABLE = "undecodable"
    RESENT = "resent"
    UNKNOWN_RECIPIENT = "unknown_recipient"


@dataclass(frozen=True, slots=True)
class FinalResponse:
    """The final response to one attempt."""

    status_code: int
    reason_phrase: str
    retry_after: int | None = None
    """Seconds, from Retry-After (RFC 3261, section 20.33)."""
    local: bool = False
    """True when nothing came back and this side made the response up (408, 503)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundRequest:
    """A MESSAGE request as the SIP engine journalled it, its headers and body parsed once."""

    id: MessageId
    received_at: datetime
    transport: str
    """``UDP``, ``TCP`` or ``TLS``."""
    source: str
    """``host:port`` that the packet came from."""
    request_uri: str
    from_uri: str
    from_tag: str
    to_uri: str
    asserted_identity: str = ""
    """The URI of P-Asserted-Identity (RFC 3325), empty when absent."""
    call_id: str
    cseq: int
    content_type: str
    """Of the text after unwrapping CPIM and multipart, lower case, without parameters."""
    text: str
    raw_body: bytes | None = None
    """The body's bytes, kept when *text* is not all of them (undecodable, binary)."""
    flags: frozenset[Flag] = frozenset()


CHAT = "chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One pager-mode instant message (RFC 3428), as said; in either direction."""

    id: MessageId
    direction: Direction
    account: str
    """Name of the account in the configuration; empty for an unknown recipient."""
    peer: Aor
    """The other party."""
    from_uri: str
    to_uri: str
    text: str
    created_at: datetime
    status: Status
    content_type: str = TEXT_PLAIN
    raw_body: bytes | None = None
    call_id: str = ""
    cseq: int = 0
    from_tag: str = ""
    proven: bool = False
    """Inbound: the sender is known to be who From says (see gateway.inbound)."""
    source: str = ""
    """Inbound: ``udp:host:port``, ``tcp:host:port`` the request came from."""
    taken_over: bool = False
    """Inbound: the gateway that received it stopped before it was answered."""
    flags: frozenset[Flag] = frozenset()
    origin: str = "sip"
    """``sip`` (inbound), ``reply``, ``token:NAME``, ``hook:KEY`` or ``chat:AOR``."""
    client_ref: str = ""
    tags: tuple[str, ...] = ()
    response: FinalResponse | None = None
    """Outbound: the last final response."""
    attempts: int = 0
    settled_at: datetime | None = None

    @property
    def asker(self) -> Aor | None:
        """Who had it sent by a chat command, and is told if it does not arrive."""
        kind, _, who = self.origin.partition(":")
        return Aor(who) if kind == CHAT else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An inbound message on its way into the store."""

    message: Message
    needs_answer: bool
    """False: settled with its storing. True: in ``Inbox.unhandled`` until settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One SIP MESSAGE that must leave: an outbox row, one for each part of a message."""

    id: DeliveryId
    message_id: MessageId
    part: int
    """From 1."""
    account: str
    peer: Aor
    """Order is kept, and one attempt at a time made, for each peer."""
    to_uri: str
    target: str
    """Request-URI, ``;transport=tcp`` included where one is needed."""
    destination: str
    """``host:port`` of the next hop: what the in-flight limit is counted for."""
    body: str
    due_at: datetime
    expires_at: datetime
    content_type: str = TEXT_PLAIN
    attempts: int = 0
    """Finished attempts so far."""
    peer_known: bool = False
    """The peer ever wrote to us or was ever delivered to."""
    peer_refuses: int = 0
    """SIP code (405, 501) with which the peer refused MESSAGE as such; 0: none."""

    @property
    def label(self) -> str:
        """How the log names it."""
        return f"{message_id_text(self.message_id)} part {self.part}"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The far end took responsibility: 200 (delivered) or another 2xx (relayed)."""

    response: FinalResponse


@dataclass(frozen=True, slots=True)
class Deferred:
    """Try again at *due_at*; *status* is waiting (peer away) or retrying."""

    response: FinalResponse
    due_at: datetime
    status: Status


@dataclass(frozen=True, slots=True)
class Replaced:
    """The delivery's place is taken by these, due at once (smaller parts, or plain text)."""

    response: FinalResponse
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """Never to be tried again; *remember* marks the peer as one that takes no MESSAGE."""

    response: FinalResponse
    remember: bool = False


@dataclass(frozen=True, slots=True)
class Expired:
    """Its time to live ended before it could be delivered."""

    response: FinalResponse | None


Outcome = Delivered | Deferred | Replaced | Failed | Expired


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at one delivery, as the history shows it."""

    delivery_id: DeliveryId
    part: int
    at: datetime
    response: FinalResponse
    elapsed_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A message with its deliveries, ready to be committed together."""

    message: Message
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What became of one leased delivery."""

    delivery: Delivery
    outcome: Outcome
    at: datetime
    attempt: Attempt | None = None
    """None when none was made (expired, refused for a remembered reason)."""
    sent: bool = True
    """False when the attempt's request surely did not leave; sending it again is no repeat."""
    notices: tuple[Submission, ...] = ()
    """Messages to queue in the same transaction: the sender is told of a failure."""
