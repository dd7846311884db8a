"""``/v1/phone``: MicroSIP."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated

from aiohttp import web
from pydantic import Field

from gateway.caller import Caller
from gateway.errors import InvalidRequest
from gateway.phone import (
    DIALLING,
    TO_CONFIRM,
    CommandOutcome,
    CommandResult,
    PhoneCommand,
    PhoneRequest,
    Problem,
    Verb,
    parse_command,
)
from gateway.ports import CallControl
from gateway.web.body import read_body
from gateway.web.idempotency import once_for
from gateway.web.phone_view import PhoneView, phone_view
from gateway.web.problem import Code, HttpProblem, not_found
from gateway.web.refused_commands import RefusedCommands
from gateway.web.route import Answer, Call, RequestBody, Route, Scope, View

_ANY_SCOPE = (Scope.PHONE_CONTROL, Scope.PHONE_READ, Scope.ADMIN)
_SCOPES = {Verb.STATUS: Scope.PHONE_READ, Verb.CLOSE: Scope.ADMIN}
_CODES = {
    Problem.INVALID: Code.INVALID_REQUEST,
    Problem.NOT_ALLOWED: Code.NOT_ALLOWED,
    Problem.NO_CALL: Code.PHONE_NO_CALL,
    Problem.FAILED: Code.PHONE_FAILED,
    Problem.NOT_RUNNING: Code.PHONE_NOT_RUNNING,
    Problem.NOT_RESPONDING: Code.PHONE_NOT_RESPONDING,
    Problem.INTERRUPTED: Code.PHONE_NOT_RESPONDING,
}
_TROUBLE = (Code.PHONE_FAILED, Code.PHONE_NOT_RUNNING, Code.PHONE_NOT_RESPONDING)


class PhoneCommandRequest(RequestBody):
    """What a verb needs."""

    argument: Annotated[str, Field(max_length=256)] | None = None
    """Of ``device``: ``input 3``."""
    confirm: bool = False
    """``close`` ends MicroSIP, ``device`` may restart it, so it must be true there."""


class PhoneCommandView(View):
    """What became of a command."""

    command_id: str
    verb: Verb
    argument: str
    outcome: CommandOutcome
    evidence: str
    detail: str
    channel: str
    elapsed_ms: int
    simulated: bool
    status: PhoneView | None


class Phone:
    """Drives MicroSIP."""

    def __init__(self, *, call_control: CallControl, refused: RefusedCommands) -> None:
        self._call_control = call_control
        self._refused = refused

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                method="GET",
                path="/v1/phone",
                handler=self.status,
                summary="The phone's state, as far as known",
                scopes=(Scope.PHONE_READ,),
                response=PhoneView,
                problems=_TROUBLE,
            ),
            Route(
                method="POST",
                path="/v1/phone/{verb}",
                handler=self.command,
                summary=(
                    "One of the sixteen verbs by chat word or DDE name; "
                    "status needs phone:read, close needs admin, all others need "
                    "phone:control; close and device need confirm: true"
                ),
                scopes=_ANY_SCOPE,
                scopes_of=_scopes,
                on_refusal=self._not_admitted,
                request=PhoneCommandRequest,
                response=PhoneCommandView,
                problems=_TROUBLE,
            ),
        )

    async def status(self, call: Call) -> Answer:  # noqa: ARG002  a handler takes its call
        return Answer.of(phone_view(await self._call_control.status()))

    async def command(self, call: Call) -> Answer:
        verb = _verb(call)
        body = await read_body(call.request, PhoneCommandRequest)
        assert call.caller is not None, "the route needs a token"
        try:
            command = _checked(verb, body)
        except InvalidRequest as exc:
            argument = body.argument or ""
            await self._refused.not_understood(call.caller, verb, argument, exc.detail)
            raise
        result = await self._call_control.execute(
            PhoneRequest(
                command=command,
                caller=call.caller,
                text=str(command),
                message_id=once_for(call.key, str(command)) if call.key else None,
            )
        )
        return _answer(result)

    async def _not_admitted(self, request: web.Request, caller: Caller, reason: str) -> None:
        if verb := Verb.named(request.match_info["verb"]):
            await self._refused.not_allowed(caller, verb, reason)


def _scopes(request: web.Request) -> tuple[Scope, ...]:
    verb = Verb.named(request.match_info["verb"])
    return (_SCOPES.get(verb, Scope.PHONE_CONTROL),) if verb is not None else _ANY_SCOPE


def _verb(call: Call) -> Verb:
    word = call.path("verb")
    verb = Verb.named(word)
    if verb is None:
        near = get_close_matches(word.lower(), list(Verb), n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else f"one of {', '.join(Verb)}"
        raise not_found(f"there is no verb {word[:32]!r}; {hint}")
    return verb


def _checked(verb: Verb, body: PhoneCommandRequest) -> PhoneCommand:
    command = parse_command(verb, _words(verb, body.argument or ""))
    if verb in TO_CONFIRM and not body.confirm:
        raise InvalidRequest(
            f'{verb} ends or restarts MicroSIP; confirm it with "confirm": true',
            pointer="/confirm",
        )
    return command


def _words(verb: Verb, argument: str) -> tuple[str, ...]:
    if verb in DIALLING:
        return (argument,) if argument else ()
    # Split at spaces alone: any other white space is hostile in an argument.
    return tuple(argument.split(" ")) if argument else ()


def _answer(result: CommandResult) -> Answer:
    view = _command_view(result)
    if result.problem is Problem.NONE:
        return Answer.of(view)
    raise HttpProblem(
        _CODES[result.problem],
        result.detail or result.evidence or _CODES[result.problem].summary,
        members=view.model_dump(mode="json", exclude={"detail", "status"}),
        took_effect=True,
    )


def _command_view(result: CommandResult) -> PhoneCommandView:
    return PhoneCommandView(
        command_id=result.command_id,
        verb=result.command.verb,
        argument=result.command.argument,
        outcome=result.outcome,
        evidence=result.evidence,
        detail=result.detail,
        channel=result.channel,
        elapsed_ms=result.elapsed_ms,
        simulated=result.simulated,
        status=phone_view(result.status) if result.status else None,
    )
