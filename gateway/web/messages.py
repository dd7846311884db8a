"""``/v1/messages``: sending, with what becomes of one message."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated

from aiohttp import web
from pydantic import Field

from gateway.config import parse_duration
from gateway.errors import ConflictError, StorageUnavailable
from gateway.idempotency import StoredResponse
from gateway.message import Direction, Message, MessageId, message_id_text
from gateway.outbox import BY_MICROSIP, MAX_TEXT, OutboundRequest, Outbox
from gateway.ports import Archive, Clock, DeliveryQueue
from gateway.web.body import Text, Time, read_body
from gateway.web.message_view import (
    AttemptsView,
    MessageView,
    attempt_view,
    message_body,
)
from gateway.web.notation import parse_message_id
from gateway.web.problem import invalid, not_found
from gateway.web.route import Answer, Call, RequestBody, Route, Scope

MAX_WAIT_SECONDS = 30

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*(\d{1,9})\s*(?=$|[,;])", re.IGNORECASE)

WaitFinal = Callable[[MessageId, float], Awaitable[Message | None]]
"""The message once its status is final; None when it is not after so many seconds."""


class MessageRequest(RequestBody):
    """A message to send."""

    to: Annotated[Text, Field(min_length=1, max_length=256)]
    """A SIP URI, or a user part in the sending account's domain."""
    text: Annotated[Text, Field(min_length=1, max_length=MAX_TEXT)]
    """Split into several SIP messages where it does not fit into one."""
    from_: Annotated[Text, Field(max_length=256)] = Field(default="", validation_alias="from")
    """The sending account's name; else the one of the recipient's domain."""
    ttl: Annotated[str, Field(max_length=32)] | None = None
    """How long to try, such as ``90s`` or ``72h``."""
    send_at: Time | None = None
    """Not before: a time of RFC 3339."""
    client_ref: Annotated[Text, Field(max_length=200)] = ""
    """The sender's own name for it, kept with the message."""
    tags: tuple[Annotated[Text, Field(min_length=1, max_length=64)], ...] = Field(
        default=(), max_length=16
    )


class Messages:
    """Sends, shows, cancels or resends messages."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        queue: DeliveryQueue,
        archive: Archive,
        wait_final: WaitFinal,
        wake: Callable[[], None],
        clock: Clock,
    ) -> None:
        """*wake* tells the delivery worker that something may be due."""
        self._outbox = outbox
        self._queue = queue
        self._archive = archive
        self._wait_final = wait_final
        self._wake = wake
        self._clock = clock

    def routes(self) -> Sequence[Route]:
        post = Route(
            method="POST",
            path="/v1/messages",
            handler=self.post,
            summary="Send a message; with Prefer: wait=5, 200 if it is final by then",
            scopes=(Scope.MESSAGES_SEND,),
            request=MessageRequest,
            headers={
                "Prefer": f"wait=SECONDS, at most {MAX_WAIT_SECONDS}: answer once it is final"
            },
            response=MessageView,
            status=202,
            or_status=200,
        )
        return (post, *self._routes_of("/v1/messages/{id}"))

    def _routes_of(self, one: str) -> Sequence[Route]:
        return (
            Route(
                method="GET",
                path=one,
                handler=self.get,
                summary="One message",
                scopes=(Scope.MESSAGES_READ,),
                response=MessageView,
            ),
            Route(
                method="GET",
                path=f"{one}/attempts",
                handler=self.attempts,
                summary="Each SIP attempt at a message",
                scopes=(Scope.MESSAGES_READ,),
                response=AttemptsView,
            ),
            Route(
                method="POST",
                path=f"{one}/cancel",
                handler=self.cancel,
                summary="Give up a message that is not final",
                scopes=(Scope.MESSAGES_SEND,),
                response=MessageView,
            ),
            Route(
                method="POST",
                path=f"{one}/resend",
                handler=self.resend,
                summary="Send a final message again, as a new one",
                scopes=(Scope.MESSAGES_SEND,),
                response=MessageView,
                status=202,
            ),
        )

    async def post(self, call: Call) -> Answer:
        body = await read_body(call.request, MessageRequest)
        wait = _preferred_wait(call.request)
        submission = self._outbox.compose(_outbound_request(body, _origin(call)))
        accepted = _accepted(submission.message, key_completed=call.key is not None)
        completes = (call.key, _stored(accepted)) if call.key else None
        await self._outbox.submit(submission, completes=completes)
        if not wait:
            return accepted
        final = await self._wait_final(submission.message.id, wait)
        if final is not None:
            return self._final(final, wait, accepted)
        present = await self._present(submission.message)
        return replace(accepted, body=message_body(present))

    async def _present(self, message: Message) -> Message:
        try:
            found = await self._archive.get(message.id)
        except StorageUnavailable:  # it was committed, so it is accepted all the same
            return message
        return found.message if found is not None else message

    def _final(self, message: Message, wait: int, accepted: Answer) -> Answer:
        headers = {**accepted.headers, "Preference-Applied": f"wait={wait}"}
        body = message_body(message)
        return Answer(body=body, headers=headers, key_completed=accepted.key_completed)

    async def get(self, call: Call) -> Answer:
        return Answer(body=message_body(await self._message(call)))

    async def attempts(self, call: Call) -> Answer:
        message = await self._message(call)
        attempts = await self._archive.attempts(message.id)
        return Answer.of(AttemptsView(items=tuple(attempt_view(a) for a in attempts)))

    async def cancel(self, call: Call) -> Answer:
        message_id = _message_id(call)
        canceled = await self._queue.cancel(message_id, self._clock())
        if canceled is None:
            raise _unknown(call)
        return Answer(body=message_body(canceled))

    async def resend(self, call: Call) -> Answer:
        message = await self._message(call)
        if message.direction is Direction.INBOUND:
            raise ConflictError("an inbound message cannot be sent again")
        if message.origin == BY_MICROSIP:
            raise ConflictError("it went out of MicroSIP; the command send as:me does it again")
        submission = self._outbox.compose(
            OutboundRequest(
                to=message.to_uri,
                text=message.text,
                origin=_origin(call),
                from_account=message.account,
                client_ref=message.client_ref,
                tags=message.tags,
            )
        )
        await self._queue.resend(message.id, submission)
        self._wake()
        return _accepted(submission.message)

    async def _message(self, call: Call) -> Message:
        found = await self._archive.get(_message_id(call))
        if found is None:
            raise _unknown(call)
        return found.message


def _message_id(call: Call) -> MessageId:
    message_id = parse_message_id(call.path("id"))
    if message_id is None:
        raise _unknown(call)
    return message_id


def _unknown(call: Call) -> Exception:
    return not_found(f"there is no message {call.path('id')[:64]!r}")


def _origin(call: Call) -> str:
    assert call.caller is not None, "the route needs a token"
    return call.caller.who


def _outbound_request(body: MessageRequest, origin: str) -> OutboundRequest:
    try:
        ttl = parse_duration(body.ttl) if body.ttl is not None else None
    except (ValueError, OverflowError) as exc:
        raise invalid(str(exc), "/ttl") from exc
    return OutboundRequest(
        to=body.to,
        text=body.text,
        origin=origin,
        from_account=body.from_,
        ttl=ttl,
        send_at=body.send_at,
        client_ref=body.client_ref,
        tags=body.tags,
    )


def _accepted(message: Message, *, key_completed: bool = False) -> Answer:
    return Answer(
        status=202,
        body=message_body(message),
        headers={"Location": f"/v1/messages/{message_id_text(message.id)}"},
        key_completed=key_completed,
    )


def _stored(answer: Answer) -> StoredResponse:
    return StoredResponse(answer.status, answer.body, answer.headers["Location"])


def _preferred_wait(request: web.Request) -> int:
    """Seconds, from Prefer: wait=5 (RFC 7240, section 4.3); other preferences are ignored."""
    match = _WAIT.search(",".join(request.headers.getall("Prefer", [])))
    return min(int(match[1]), MAX_WAIT_SECONDS) if match else 0
