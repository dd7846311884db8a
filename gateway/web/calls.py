"""``/v1/calls``: the calls of MicroSIP."""

from collections.abc import Sequence

from gateway.call import Call, CallDirection, CallOutcome
from gateway.call_log import CallQuery
from gateway.ports import CallLog
from gateway.representation import call_json
from gateway.web.body import Moment, Text, read_query
from gateway.web.cursor import cut, filter_hash, last_id
from gateway.web.history import PageParameters
from gateway.web.problem import not_found
from gateway.web.route import Answer, Call as Request, Route, Scope, View

_DEFAULT_LIMIT = 50


class CallParameters(PageParameters):
    """Which calls; every given condition must hold."""

    peer: Text = ""
    """The other side, as it is shown."""
    direction: CallDirection | None = None
    outcome: CallOutcome | None = None
    since: Moment | None = None
    """Inclusive: a time of RFC 3339, or a day such as 2026-11-01 for its midnight UTC."""
    until: Moment | None = None
    """Exclusive: a time of RFC 3339, or a day such as 2026-11-01 for its midnight UTC."""


class CallView(View):
    """A call; *outcome* is null while it lasts."""

    id: str
    direction: CallDirection
    peer: str
    name: str
    started_at: str
    rang_at: str | None
    answered_at: str | None
    ended_at: str | None
    duration_seconds: int | None
    outcome: CallOutcome | None
    sources: tuple[str, ...]
    node: str


class CallPageView(View):
    """A page of calls, newest first."""

    items: tuple[CallView, ...]
    next_cursor: str | None


class Calls:
    """Shows the call log."""

    def __init__(self, *, call_log: CallLog) -> None:
        self._call_log = call_log

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                method="GET",
                path="/v1/calls",
                handler=self.page,
                summary="The calls of MicroSIP, newest first",
                scopes=(Scope.PHONE_READ,),
                query=CallParameters,
                response=CallPageView,
            ),
            Route(
                method="GET",
                path="/v1/calls/{id}",
                handler=self.one,
                summary="One call",
                scopes=(Scope.PHONE_READ,),
                response=CallView,
            ),
        )

    async def page(self, request: Request) -> Answer:
        parameters = read_query(request.request, CallParameters)
        conditions = parameters.model_dump(mode="json", exclude={"cursor", "limit"})
        mark = filter_hash({"path": "/v1/calls", **conditions})
        before = last_id(parameters.cursor, mark)
        limit = parameters.limit or _DEFAULT_LIMIT
        found = await self._call_log.calls(_query(parameters, limit + 1), before=before)
        calls, following = cut(found, limit, mark, lambda call: call.id)
        items = tuple(call_view(call) for call in calls)
        return Answer.of(CallPageView(items=items, next_cursor=following))

    async def one(self, request: Request) -> Answer:
        call = await self._call_log.call(request.path("id"))
        if call is None:
            raise not_found(f"there is no call {request.path('id')[:64]!r}")
        return Answer.of(call_view(call))


def _query(parameters: CallParameters, limit: int) -> CallQuery:
    return CallQuery(
        peer=parameters.peer,
        direction=parameters.direction,
        outcome=parameters.outcome,
        since=parameters.since,
        until=parameters.until,
        limit=limit,
    )


def call_view(call: Call) -> CallView:
    return CallView.model_validate({**call_json(call), "node": call.node})
