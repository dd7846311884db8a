"""The mapping between values, as the rest of the gateway knows them, and rows."""

import unicodedata
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from gateway.address import Aor
from gateway.archive import Archived
from gateway.message import (
    Attempt,
    Delivery,
    DeliveryId,
    Direction,
    FinalResponse,
    Flag,
    Message,
    MessageId,
    Status,
)
from gateway.store.columns import digest, storable
from gateway.store.tables import OPEN

AnyRow = Row[*tuple[Any, ...]]
Values = dict[str, Any]

REFUSAL_MEMORY = timedelta(hours=24)


def folded(text: str) -> str:
    """*text* for comparison without regard to case, in any script."""
    return unicodedata.normalize("NFC", storable(text).casefold())


def response_values(response: FinalResponse | None) -> Values:
    return {
        "status_code": response and response.status_code,
        "reason_phrase": response and response.reason_phrase,
        "retry_after": response and response.retry_after,
        "local": response and response.local,
    }


def message_values(message: Message, *, unanswered: bool = False) -> Values:
    """Of a new message, which has no response yet."""
    text, raw_body = storable(message.text), message.raw_body
    if text != message.text and raw_body is None:
        raw_body = message.text.encode("utf-8", "surrogatepass")
    return {
        "id": message.id,
        "direction": message.direction.value,
        "account": message.account,
        "peer": message.peer,
        "from_uri": message.from_uri,
        "to_uri": message.to_uri,
        "text": text,
        "folded": folded(text),
        "content_type": message.content_type,
        "raw_body": raw_body,
        "call_id": message.call_id,
        "cseq": message.cseq,
        "from_tag": message.from_tag,
        "proven": message.proven,
        "source": message.source,
        "request_key": request_key(message),
        "flags": sorted(message.flags - {Flag.RESENT}),
        "resent": Flag.RESENT in message.flags,
        "origin": message.origin,
        "client_ref": message.client_ref,
        "tags": message.tags,
        "status": message.status.value,
        "attempts": message.attempts,
        "unanswered": unanswered,
        "created_at": message.created_at,
        "settled_at": message.settled_at,
    }


def request_key(message: Message) -> bytes | None:
    """What makes an inbound request the same one; proven, so that no forgery is."""
    if message.direction is not Direction.INBOUND:
        return None
    return digest(
        message.account, message.proven, message.call_id, message.cseq, message.from_tag
    )


def to_message(row: AnyRow) -> Message:
    flags = {Flag(flag) for flag in row.flags} | ({Flag.RESENT} if row.resent else set())
    return Message(
        id=MessageId(row.id),
        direction=Direction(row.direction),
        account=row.account,
        peer=Aor(row.peer),
        from_uri=row.from_uri,
        to_uri=row.to_uri,
        text=row.text,
        created_at=row.created_at,
        status=Status(row.status),
        content_type=row.content_type,
        raw_body=row.raw_body,
        call_id=row.call_id,
        cseq=row.cseq,
        from_tag=row.from_tag,
        proven=row.proven,
        source=row.source,
        flags=frozenset(flags),
        origin=row.origin,
        client_ref=row.client_ref,
        tags=row.tags,
        response=None if row.status_code is None else to_response(row),
        attempts=row.attempts,
        settled_at=row.settled_at,
    )


def to_archived(row: AnyRow) -> Archived:
    return Archived(row.archive_id, to_message(row))


def to_response(row: AnyRow) -> FinalResponse:
    return FinalResponse(row.status_code, row.reason_phrase, row.retry_after, row.local)


def delivery_values(delivery: Delivery, place: int) -> Values:
    """But for the archive id of its message."""
    return {
        "id": delivery.id,
        "place": place,
        "part": delivery.part,
        "state": OPEN,
        "account": delivery.account,
        "peer": delivery.peer,
        "to_uri": delivery.to_uri,
        "target": delivery.target,
        "destination": delivery.destination,
        "content_type": delivery.content_type,
        "body": delivery.body,
        "due_at": delivery.due_at,
        "expires_at": delivery.expires_at,
        "attempts": delivery.attempts,
    }


def to_delivery(row: AnyRow, now: datetime) -> Delivery:
    """Of a row of delivery, joined with its message's id and what is known of its peer."""
    refuses = row.refused_at is not None and row.refused_at > now - REFUSAL_MEMORY
    return Delivery(
        id=DeliveryId(row.id),
        message_id=MessageId(row.message_id),
        part=row.part,
        account=row.account,
        peer=Aor(row.peer),
        to_uri=row.to_uri,
        target=row.target,
        destination=row.destination,
        body=row.body,
        due_at=row.due_at,
        expires_at=row.expires_at,
        content_type=row.content_type,
        attempts=row.attempts,
        peer_known=row.known,
        peer_refuses=row.refuses if refuses else 0,
    )


def attempt_values(attempt: Attempt, delivery: int) -> Values:
    return {
        "delivery": delivery,
        "at": attempt.at,
        "elapsed_ms": attempt.elapsed_ms,
        **response_values(attempt.response),
    }


def to_attempt(row: AnyRow) -> Attempt:
    return Attempt(
        delivery_id=DeliveryId(row.delivery_id),
        part=row.part,
        at=row.at,
        response=to_response(row),
        elapsed_ms=row.elapsed_ms,
    )
