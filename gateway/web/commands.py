"""``/v1/commands``: the chat language over HTTP, with the audit of all commands."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from gateway.outbox import MAX_TEXT
from gateway.phone import CommandEntry, CommandOutcome
from gateway.ports import Commander, CommandLog
from gateway.representation import rfc3339
from gateway.web.body import Text, read_body, read_query
from gateway.web.cursor import cut, filter_hash, last_id
from gateway.web.history import PageParameters
from gateway.web.idempotency import once_for
from gateway.web.route import Answer, Call, RequestBody, Route, Scope, View

_DEFAULT_LIMIT = 50
_MARK = filter_hash({"path": "/v1/commands"})


class CommandRequest(RequestBody):
    """A line of the chat language."""

    text: Annotated[Text, Field(min_length=1, max_length=MAX_TEXT)]


class CommandReplyView(View):
    """What the chat would have answered."""

    id: str
    outcome: CommandOutcome
    reply: tuple[str, ...]


class AuditEntryView(View):
    """Who asked for what, with what became of it; *outcome* is null while it runs."""

    id: str
    at: str
    who: str
    proof: str
    origin: str
    text: str
    verb: str
    argument: str
    channel: str
    outcome: CommandOutcome | None
    evidence: str
    elapsed_ms: int
    node: str


class AuditPageView(View):
    """A page of the audit, newest first."""

    items: tuple[AuditEntryView, ...]
    next_cursor: str | None


class Commands:
    """Runs chat commands for tokens."""

    def __init__(self, *, commander: Commander, command_log: CommandLog) -> None:
        self._commander = commander
        self._command_log = command_log

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                method="POST",
                path="/v1/commands",
                handler=self.post,
                summary="Run a line of the chat language; the token's scopes decide",
                scopes=(
                    Scope.PHONE_CONTROL,
                    Scope.PHONE_READ,
                    Scope.MESSAGES_SEND,
                    Scope.MESSAGES_READ,
                    Scope.ADMIN,
                ),
                request=CommandRequest,
                response=CommandReplyView,
            ),
            Route(
                method="GET",
                path="/v1/commands",
                handler=self.audit,
                summary="The audit of commands, newest first",
                scopes=(Scope.ADMIN,),
                query=PageParameters,
                response=AuditPageView,
            ),
        )

    async def post(self, call: Call) -> Answer:
        body = await read_body(call.request, CommandRequest)
        assert call.caller is not None, "the route needs a token"
        once = once_for(call.key, body.text) if call.key else None
        reply = await self._commander.command(body.text, call.caller, message_id=once)
        return Answer.of(
            CommandReplyView(id=reply.id, outcome=reply.outcome, reply=reply.lines)
        )

    async def audit(self, call: Call) -> Answer:
        parameters = read_query(call.request, PageParameters)
        limit = parameters.limit or _DEFAULT_LIMIT
        before = last_id(parameters.cursor, _MARK) or None
        found = await self._command_log.commands(limit + 1, before=before)
        entries, following = cut(found, limit, _MARK, lambda entry: entry.id)
        items = tuple(_entry_view(entry) for entry in entries)
        return Answer.of(AuditPageView(items=items, next_cursor=following))


def _entry_view(entry: CommandEntry) -> AuditEntryView:
    return AuditEntryView(
        id=entry.id,
        at=rfc3339(entry.at),
        who=entry.who,
        proof=entry.proof,
        origin=entry.origin,
        text=entry.text,
        verb=entry.verb,
        argument=entry.argument,
        channel=entry.channel,
        outcome=entry.outcome,
        evidence=entry.evidence,
        elapsed_ms=entry.elapsed_ms,
        node=entry.node,
    )
