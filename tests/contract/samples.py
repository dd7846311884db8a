"""Messages to store, each a new one."""

from datetime import datetime, timedelta
from itertools import count

from gateway.address import Aor
from gateway.message import (
    Arrival,
    Attempt,
    Delivery,
    DeliveryId,
    Direction,
    FinalResponse,
    Message,
    MessageId,
    Outcome,
    Settlement,
    Status,
    Submission,
    uuid7,
)
from tests.fakes import NOON, OK

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ANNA = Aor("sip:101@office.example")
BERT = Aor("sip:102@office.example")
BOT = "sip:bot@office.example"
REGISTRAR = "10.0.0.5:5060"
ACCEPTED = FinalResponse(202, "Accepted")
AWAY = FinalResponse(480, "Temporarily Unavailable")
NOT_ALLOWED = FinalResponse(405, "Method Not Allowed")
SILENCE = FinalResponse(408, "Request Timeout", local=True)

_calls = count(1)


def received(
    text: str = "hello",
    *,
    peer: Aor = ANNA,
    proven: bool = True,
    call_id: str | None = None,
    at: datetime = NOON,
    tags: tuple[str, ...] = (),
) -> Message:
    return Message(
        id=MessageId(uuid7(at)),
        direction=Direction.INBOUND,
        account="bot",
        peer=peer,
        from_uri=str(peer),
        to_uri=BOT,
        text=text,
        created_at=at,
        status=Status.RECEIVED,
        call_id=f"call-{next(_calls)}" if call_id is None else call_id,
        cseq=1,
        from_tag="tag",
        proven=proven,
        source="udp:10.0.0.5:5060",
        tags=tags,
    )


def arrival(message: Message, *, needs_answer: bool = False) -> Arrival:
    return Arrival(message=message, needs_answer=needs_answer)


def sent(
    *bodies: str,
    peer: Aor = ANNA,
    at: datetime = NOON,
    due_at: datetime | None = None,
    ttl: timedelta = 72 * HOUR,
    destination: str = REGISTRAR,
    account: str = "bot",
    tags: tuple[str, ...] = (),
) -> Submission:
    """An outbound message with a delivery for each of *bodies*."""
    bodies = bodies or ("hello",)
    message = Message(
        id=MessageId(uuid7(at)),
        direction=Direction.OUTBOUND,
        account=account,
        peer=peer,
        from_uri=BOT,
        to_uri=str(peer),
        text="".join(bodies),
        created_at=at,
        status=Status.QUEUED,
        origin="token:crm",
        tags=tags,
    )
    deliveries = tuple(
        Delivery(
            id=DeliveryId(uuid7(at)),
            message_id=message.id,
            part=part,
            account=account,
            peer=peer,
            to_uri=str(peer),
            target=str(peer),
            destination=destination,
            body=body,
            due_at=due_at or at,
            expires_at=at + ttl,
        )
        for part, body in enumerate(bodies, start=1)
    )
    return Submission(message=message, deliveries=deliveries)


def settled(
    delivery: Delivery,
    outcome: Outcome,
    *,
    at: datetime = NOON,
    notices: tuple[Submission, ...] = (),
) -> Settlement:
    """After one attempt."""
    attempt = Attempt(
        delivery_id=delivery.id,
        part=delivery.part,
        at=at,
        response=outcome.response or OK,
        elapsed_ms=12,
    )
    return Settlement(
        delivery=delivery, outcome=outcome, at=at, attempt=attempt, notices=notices
    )
