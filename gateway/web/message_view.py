"""A message as JSON shows it."""

from pydantic import Field

from gateway.message import (
    Attempt,
    Direction,
    FinalResponse,
    Flag,
    Message,
    Status,
    message_id_text,
)
from gateway.web.notation import rfc3339
from gateway.web.route import View


class SipView(View):
    """A final response, 408 or 503 included where none came."""

    status: int
    reason: str


class MessageView(View):
    """A message in either direction."""

    id: str
    direction: Direction
    account: str
    peer: str
    from_: str = Field(serialization_alias="from")
    to: str
    text: str
    content_type: str
    status: Status
    flags: tuple[Flag, ...]
    sip: SipView | None
    attempts: int
    origin: str
    client_ref: str
    tags: tuple[str, ...]
    created_at: str
    settled_at: str | None


class AttemptView(View):
    """One try at one part of a message."""

    at: str
    part: int
    sip: SipView
    elapsed_ms: int


class AttemptsView(View):
    """All tries at a message, oldest first."""

    items: tuple[AttemptView, ...]


def message_view(message: Message) -> MessageView:
    return MessageView(
        id=message_id_text(message.id),
        direction=message.direction,
        account=message.account,
        peer=message.peer,
        from_=message.from_uri,
        to=message.to_uri,
        text=message.text,
        content_type=message.content_type,
        status=message.status,
        flags=tuple(sorted(message.flags)),
        sip=_sip_view(message.response) if message.response else None,
        attempts=message.attempts,
        origin=message.origin,
        client_ref=message.client_ref,
        tags=message.tags,
        created_at=rfc3339(message.created_at),
        settled_at=rfc3339(message.settled_at) if message.settled_at else None,
    )


def attempt_view(attempt: Attempt) -> AttemptView:
    return AttemptView(
        at=rfc3339(attempt.at),
        part=attempt.part,
        sip=_sip_view(attempt.response),
        elapsed_ms=attempt.elapsed_ms,
    )


def _sip_view(response: FinalResponse) -> SipView:
    return SipView(status=response.status_code, reason=response.reason_phrase)
