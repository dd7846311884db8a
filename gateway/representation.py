"""Resources in JSON, the same over REST as in webhooks."""

from datetime import UTC, datetime

from gateway.events import Event
from gateway.message import FinalResponse, Message, message_id_text


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


def event_json(event: Event) -> dict[str, object]:
    """The body of a webhook."""
    return {"type": event.type.value, "timestamp": rfc3339(event.at), "data": dict(event.data)}
