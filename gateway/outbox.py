"""The outbox: outbound messages are composed here, then committed."""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gateway.address import DEFAULT_PORT, SipUri, resolve_recipient
from gateway.caller import Caller
from gateway.errors import AddressError, InvalidRequest
from gateway.idempotency import IdempotencyKey, StoredResponse
from gateway.identity import AccountIdentity
from gateway.message import (
    CHAT,
    Delivery,
    DeliveryId,
    Direction,
    Expired,
    Failed,
    Message,
    MessageId,
    Status,
    Submission,
    message_id_text,
    uuid7,
)
from gateway.phone_message import PhoneMessage
from gateway.ports import Clock, DeliveryQueue
from gateway.split import split_text

log = logging.getLogger(__name__)

MAX_PART_BYTES = 700  # with 450 to 600 of headers under the 1300 of RFC 3428, section 8
MAX_TEXT = 16_000
_A_YEAR = timedelta(days=366)
BY_MICROSIP = "microsip"
"""The origin of what went out of the user's own MicroSIP."""
_QUOTED = 80
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, halves of pairs; joined emoji and right-to-left marks are text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundRequest:
    """What somebody wants sent."""

    to: str
    """A SIP URI, or a user part in the sending account's domain."""
    text: str
    origin: str
    from_account: str = ""
    """Name or URI of the sending account; empty: chosen by the recipient's domain."""
    ttl: timedelta | None = None
    send_at: datetime | None = None
    client_ref: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Path:
    """How a message gets from an account to a peer."""

    account: AccountIdentity
    peer: SipUri
    """In To without its parameters (RFC 3261, section 19.1.1)."""
    target: SipUri
    destination: str


class Outbox:
    """The one way out: everything that leaves is composed and committed here."""

    def __init__(
        self,
        *,
        queue: DeliveryQueue,
        accounts: Callable[[], Sequence[AccountIdentity]],
        clock: Clock,
        message_ttl: timedelta,
    ) -> None:
        self._queue = queue
        self._accounts = accounts
        self._clock = clock
        self._message_ttl = message_ttl

    def compose(self, request: OutboundRequest) -> Submission:
        """The message with a delivery for each part; raises InvalidRequest."""
        text = _checked_text(request.text)
        account, recipient = self._parties(request.from_account, request.to.strip())
        path = _Path(
            account=account,
            peer=recipient,
            target=recipient,
            destination=_next_hop(account, recipient),
        )
        parts = split_text(text, MAX_PART_BYTES)
        if text != request.text:
            request = replace(request, text=text)
        return self._submission(path, request, parts)

    async def submit(
        self,
        submission: Submission,
        *,
        completes: tuple[IdempotencyKey, StoredResponse] | None = None,
    ) -> None:
        """When it returns, the message is committed and will be delivered or reported."""
        await self._queue.add_outbound(submission, completes=completes)

    async def send_for(self, caller: Caller, recipient: str, text: str) -> Message:
        """Queue ``101: text``; the caller is told once if it fails or expires."""
        name = SipUri.parse(caller.aor).user if caller.aor else caller.who.partition(":")[2]
        origin = f"{CHAT}:{caller.aor}" if caller.aor else caller.who
        submission = self.compose(
            OutboundRequest(to=recipient, text=f"{name}: {text}", origin=origin)
        )
        await self.submit(submission)
        return submission.message

    async def keep_written(self, message: PhoneMessage) -> Message:
        """Keep what MicroSIP took to send as its own user, whose address it may share."""
        now = self._clock()
        accounts = self._accounts()
        shared = next((account for account in accounts if account.mode == "record"), None)
        peer = _recipient(message.number, shared or accounts[0])
        kept = Message(
            id=MessageId(uuid7(now)),
            direction=Direction.OUTBOUND,
            account=shared.name if shared else "",
            peer=peer.aor,
            from_uri=shared.aor if shared else "",
            to_uri=str(peer),
            text=message.text,
            created_at=now,
            status=Status.RELAYED,
            origin=BY_MICROSIP,
            settled_at=now,
        )
        await self._queue.add_outbound(Submission(message=kept, deliveries=()))
        return kept

    def reply(self, message: Message, texts: Sequence[str]) -> Sequence[Submission]:
        """An answer of *texts* to an inbound message, by the way it came."""
        account = next((a for a in self._accounts() if a.name == message.account), None)
        if account is None or account.mode == "record":
            return ()
        try:
            path = _return_path(account, message)
        except AddressError as exc:
            log.warning("no reply to %s: %s", message_id_text(message.id), exc)
            return ()
        requests = [
            OutboundRequest(to=message.peer, text=_printable(text), origin="reply")
            for text in texts
        ]
        return [self._submission(path, request, (request.text,)) for request in requests]

    def notice(
        self, message: Message, outcome: Failed | Expired, heard: Message | None
    ) -> Submission | None:
        """What a chat sender is told of a message that will not arrive; None for others.

        *heard* is what the sender wrote last.
        """
        if message.asker is None:
            return None
        user = SipUri.parse(message.peer).user or message.peer
        said = message.text if len(message.text) <= _QUOTED else f"{message.text[:_QUOTED]}..."
        text = _printable(f"ERR send {user} ({_reason(outcome)})\n{said}")
        request = OutboundRequest(
            to=message.asker, text=text, origin="reply", from_account=message.account
        )
        try:
            account, _ = self._parties(message.account, message.asker)
        except InvalidRequest:
            # The account is gone from the configuration: there is nobody to tell it as.
            return None
        if heard is None or not heard.proven or account.next_hop:
            return self.compose(request)
        parts = split_text(text, MAX_PART_BYTES)
        return self._submission(_return_path(account, heard), request, parts)

    def _parties(self, wanted: str, to: str) -> tuple[AccountIdentity, SipUri]:
        """The sending account and the recipient, each of which may depend on the other."""
        bots = [account for account in self._accounts() if account.mode == "bot"]
        if not bots:
            raise InvalidRequest('no account may send; set mode = "bot"', pointer="/from")
        if wanted:
            account = _named(wanted, bots)
            return account, _recipient(to, account)
        recipient = _recipient(to, bots[0])
        of_domain = (account for account in bots if account.domain == recipient.host)
        return next(of_domain, bots[0]), recipient

    def _submission(
        self, path: _Path, request: OutboundRequest, parts: Sequence[str]
    ) -> Submission:
        now = self._clock()
        due_at = _due(request.send_at, now)
        message = Message(
            id=MessageId(uuid7(now)),
            direction=Direction.OUTBOUND,
            account=path.account.name,
            peer=path.peer.aor,
            from_uri=path.account.aor,
            to_uri=str(path.peer.bare),
            text=request.text,
            created_at=now,
            status=Status.QUEUED,
            origin=request.origin,
            client_ref=request.client_ref,
            tags=request.tags,
        )
        expires_at = due_at + self._time_to_live(request.ttl)
        deliveries = tuple(
            Delivery(
                id=DeliveryId(uuid7(now)),
                message_id=message.id,
                part=part,
                account=path.account.name,
                peer=message.peer,
                to_uri=message.to_uri,
                target=str(path.target),
                destination=path.destination,
                body=body,
                due_at=due_at,
                expires_at=expires_at,
            )
            for part, body in enumerate(parts, 1)
        )
        return Submission(message=message, deliveries=deliveries)

    def _time_to_live(self, ttl: timedelta | None) -> timedelta:
        if ttl is None:
            return self._message_ttl
        if not timedelta() < ttl <= _A_YEAR:
            raise InvalidRequest("ttl is more than 0 and at most a year", pointer="/ttl")
        return ttl


def _named(wanted: str, bots: Sequence[AccountIdentity]) -> AccountIdentity:
    """The account of that name or URI; a record account never sends."""
    for account in bots:
        if wanted in {account.name, str(account.uri), account.aor}:
            return account
    names = ", ".join(account.name for account in bots)
    raise InvalidRequest(
        f"no account {wanted[:80]!r} that sends; one of {names}", pointer="/from"
    )


def _recipient(to: str, account: AccountIdentity) -> SipUri:
    try:
        return resolve_recipient(to, account.domain)
    except AddressError as exc:
        raise InvalidRequest(
            f"{exc}; type a SIP URI such as sip:101@{account.domain}, or its user, 101",
            pointer="/to",
        ) from exc


def _next_hop(account: AccountIdentity, recipient: SipUri) -> str:
    if account.next_hop and (account.proxied or recipient.host == account.domain):
        return account.next_hop
    return f"{recipient.host}:{recipient.port or DEFAULT_PORT}"


def _return_path(account: AccountIdentity, message: Message) -> _Path:
    peer = SipUri.parse(message.from_uri)
    if peer.aor != message.peer:  # P-Asserted-Identity named the sender
        peer = SipUri.parse(message.peer)
    peer = peer.bare
    if account.registered or account.proxied:
        return _Path(
            account=account, peer=peer, target=peer, destination=_next_hop(account, peer)
        )
    # Without a server nobody can say where an AOR is: back where it came from.
    transport, _, source = message.source.partition(":")
    host, _, port = source.rpartition(":")
    target = SipUri("sip", peer.user, host, int(port))
    if transport.lower() != "udp":
        target = target.with_parameter("transport", transport.lower())
    return _Path(account=account, peer=peer, target=target, destination=source)


def _due(send_at: datetime | None, now: datetime) -> datetime:
    if send_at is None:
        return now
    if send_at.tzinfo is None:
        raise InvalidRequest("send_at needs a zone, such as Z", pointer="/send_at")
    if send_at > now + _A_YEAR:
        raise InvalidRequest("send_at is at most a year away", pointer="/send_at")
    return max(send_at, now)


def _checked_text(text: str) -> str:
    if not text.strip():
        raise InvalidRequest("text is empty", pointer="/text")
    if len(text) > MAX_TEXT:
        raise InvalidRequest(
            f"text has {len(text)} characters; at most {MAX_TEXT}", pointer="/text"
        )
    text = text.replace("\r\n", "\n")
    if found := _NOT_TEXT.search(text):
        raise InvalidRequest(
            f"character {found.start() + 1} of text is U+{ord(found[0]):04X}, a control"
            " character or half of a pair; send text, line ends and tabs",
            pointer="/text",
        )
    return text


def _printable(text: str) -> str:
    """For what the gateway quotes: peers shall not get others' control characters."""
    return _NOT_TEXT.sub("\ufffd", text)


def _reason(outcome: Failed | Expired) -> str:
    word = "failed" if isinstance(outcome, Failed) else "expired"
    response = outcome.response
    return f"{word}: {response.status_code} {response.reason_phrase}" if response else word
