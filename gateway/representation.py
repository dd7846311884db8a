"""Resources in JSON, the same over REST as in webhooks."""

from datetime import UTC, datetime

from gateway.call import Call
from gateway.events import Event
from gateway.message import FinalResponse, Message, message_id_text, uuid7


def rfc3339(at: datetime) -> str:
    """``2026-11-02T09:00:00.000Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def message_json(message: Message) -> dict[str, object]:
    """A message in either direction."""
    return {
        "id": message_id_text(message.id),
        "direction": message.direction.value,
        "account": message.account,
        "peer": message.peer,
        "from": message.from_uri,
        "to": message.to_uri,
        "text": message.text,
        "content_type": message.content_type,
        "status": message.status.value,
        "flags": sorted(message.flags),
        "sip": response_json(message.response) if message.response else None,
        "attempts": message.attempts,
        "origin": message.origin,
        "client_ref": message.client_ref,
        "tags": list(message.tags),
        "created_at": rfc3339(message.created_at),
        "settled_at": rfc3339(message.settled_at) if message.settled_at else None,
    }


def response_json(response: FinalResponse) -> dict[str, object]:
    """A final response, 408 or 503 included where none came."""
    return {"status": response.status_code, "reason": response.reason_phrase}


def call_json(call: Call) -> dict[str, object]:
    """A call of MicroSIP; what is not known yet is null."""
    return {
        "id": call.id,
        "direction": call.direction.value,
        "peer": call.peer,
        "name": call.name,
        "started_at": rfc3339(call.started_at),
        "rang_at": rfc3339(call.rang_at) if call.rang_at else None,
        "answered_at": rfc3339(call.answered_at) if call.answered_at else None,
        "ended_at": rfc3339(call.ended_at) if call.ended_at else None,
        "duration_seconds": _talked(call),
        "outcome": call.outcome.value if call.outcome else None,
        "sources": list(call.sources),
    }


def _talked(call: Call) -> int | None:
    if call.ended_at is None:
        return None
    return round((call.ended_at - (call.answered_at or call.ended_at)).total_seconds())


def event_json(event: Event) -> dict[str, object]:
    """The body of a webhook."""
    return {"type": event.type.value, "timestamp": rfc3339(event.at), "data": dict(event.data)}


def new_event_id(at: datetime) -> str:
    """Its webhook-id."""
    return f"evt_{uuid7(at)}"
