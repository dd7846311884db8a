"""A message as JSON shows it."""

from pydantic import Field
from pydantic_core import to_json

from gateway.message import Attempt, Direction, Flag, Message, Status
from gateway.representation import message_json, response_json, rfc3339
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
    from_: str = Field(alias="from")
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
    return MessageView.model_validate(message_json(message))


def message_body(message: Message) -> str:
    """What ``message_view`` is in JSON, without making it: each message sent needs one."""
    return to_json(message_json(message)).decode()


def attempt_view(attempt: Attempt) -> AttemptView:
    return AttemptView(
        at=rfc3339(attempt.at),
        part=attempt.part,
        sip=SipView.model_validate(response_json(attempt.response)),
        elapsed_ms=attempt.elapsed_ms,
    )
