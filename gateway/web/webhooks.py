"""``/v1/webhook-endpoints``: outbound webhooks, as the configuration has them."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from gateway.config import WebhookEndpoint
from gateway.errors import ConflictError
from gateway.events import Event, EventType
from gateway.ports import Clock, WebhookQueue
from gateway.representation import new_event_id, rfc3339
from gateway.web.body import read_query
from gateway.web.cursor import cut, filter_hash, last_id
from gateway.web.history import PageParameters
from gateway.web.problem import not_found
from gateway.web.route import Answer, Call, Route, Scope, View
from gateway.webhook_delivery import WebhookDelivery, WebhookState

_DEFAULT_LIMIT = 50


class WebhookParameters(PageParameters):
    """Which deliveries."""

    state: WebhookState | None = None


class EndpointView(View):
    """Where events are sent; *disabled_at*: since it answered 410."""

    id: str
    url: str
    events: tuple[str, ...]
    private_networks: bool
    disabled_at: str | None


class EndpointsView(View):
    """All endpoints of the configuration."""

    items: tuple[EndpointView, ...]


class AnswerView(View):
    """What the last attempt gave; *status* is null where no answer came."""

    status: int | None
    reason: str


class WebhookView(View):
    """One event for one endpoint; *event_id* is its webhook-id."""

    id: str
    endpoint_id: str
    event_id: str
    type: str
    state: WebhookState
    attempts: int
    due_at: str | None
    answer: AnswerView | None
    created_at: str
    settled_at: str | None


class WebhookPageView(View):
    """A page of deliveries, newest first."""

    items: tuple[WebhookView, ...]
    next_cursor: str | None


class WebhookEndpoints:
    """What was sent to the endpoints, with what came of it."""

    def __init__(
        self,
        *,
        endpoints: Sequence[WebhookEndpoint],
        queue: WebhookQueue,
        wake: Callable[[Iterable[str]], None],
        clock: Clock,
    ) -> None:
        """*wake* tells the worker that something is due for these endpoints."""
        self._endpoints = {endpoint.id: endpoint for endpoint in endpoints}
        self._queue = queue
        self._wake = wake
        self._clock = clock

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                method="GET",
                path="/v1/webhook-endpoints",
                handler=self.endpoints,
                summary="The endpoints of outbound webhooks",
                scopes=(Scope.HOOKS_ADMIN,),
                response=EndpointsView,
            ),
            Route(
                method="GET",
                path="/v1/webhook-endpoints/{id}/deliveries",
                handler=self.deliveries,
                summary="What was sent to an endpoint, newest first",
                scopes=(Scope.HOOKS_ADMIN,),
                query=WebhookParameters,
                response=WebhookPageView,
            ),
            Route(
                method="POST",
                path="/v1/webhook-endpoints/{id}/test",
                handler=self.test,
                summary="Send an event of the type test, whatever the endpoint subscribed to",
                scopes=(Scope.HOOKS_ADMIN,),
                response=WebhookView,
                status=202,
            ),
            Route(
                method="POST",
                path="/v1/webhook-endpoints/{id}/enable",
                handler=self.enable,
                summary="Send to an endpoint again that answered 410, first what waits",
                scopes=(Scope.HOOKS_ADMIN,),
                response=EndpointView,
            ),
            Route(
                method="POST",
                path="/v1/webhook-deliveries/{id}/replay",
                handler=self.replay,
                summary="Send a delivery once more, under the same webhook-id",
                description="409 while it is open.",
                scopes=(Scope.HOOKS_ADMIN,),
                response=WebhookView,
                status=202,
            ),
        )

    async def endpoints(self, call: Call) -> Answer:  # noqa: ARG002  a handler takes its call
        disabled = await self._queue.disabled_endpoints()
        items = tuple(
            _endpoint_view(endpoint, disabled.get(endpoint.id))
            for endpoint in self._endpoints.values()
        )
        return Answer.of(EndpointsView(items=items))

    async def deliveries(self, call: Call) -> Answer:
        endpoint = self._endpoint(call)
        parameters = read_query(call.request, WebhookParameters)
        limit = parameters.limit or _DEFAULT_LIMIT
        mark = filter_hash({"path": call.request.path, "state": parameters.state})
        found = await self._queue.webhooks(
            endpoint.id,
            limit + 1,
            before=last_id(parameters.cursor, mark),
            state=parameters.state,
        )
        page, following = cut(found, limit, mark, lambda webhook: webhook.id)
        items = tuple(_webhook_view(webhook) for webhook in page)
        return Answer.of(WebhookPageView(items=items, next_cursor=following))

    async def test(self, call: Call) -> Answer:
        endpoint, now = self._endpoint(call), self._clock()
        if endpoint.id in await self._queue.disabled_endpoints():
            raise ConflictError(f"{endpoint.id} is disabled since it answered 410; enable it")
        event = Event(
            id=new_event_id(now),
            type=EventType.TEST,
            at=now,
            data={"endpoint_id": endpoint.id},
        )
        webhook = await self._queue.add_webhook(event, endpoint.id)
        self._wake([endpoint.id])
        return Answer.of(_webhook_view(webhook), status=202)

    async def enable(self, call: Call) -> Answer:
        endpoint = self._endpoint(call)
        await self._queue.enable_endpoint(endpoint.id)
        self._wake([endpoint.id])
        return Answer.of(_endpoint_view(endpoint, None))

    async def replay(self, call: Call) -> Answer:
        webhook_id = call.path("id")
        webhook = await self._queue.replay_webhook(webhook_id, self._clock())
        if webhook is None:
            raise not_found(f"no webhook delivery has the id {webhook_id}")
        if webhook.endpoint in self._endpoints:
            self._wake([webhook.endpoint])
        return Answer.of(_webhook_view(webhook), status=202)

    def _endpoint(self, call: Call) -> WebhookEndpoint:
        endpoint_id = call.path("id")
        endpoint = self._endpoints.get(endpoint_id)
        if endpoint is None:
            raise not_found(
                f"no endpoint has the id {endpoint_id}; they are in [[webhooks.endpoints]],"
                " and GET /v1/webhook-endpoints shows their ids"
            )
        return endpoint


def _endpoint_view(endpoint: WebhookEndpoint, disabled_at: datetime | None) -> EndpointView:
    return EndpointView(
        id=endpoint.id,
        url=endpoint.url,
        events=endpoint.events,
        private_networks=endpoint.private_networks,
        disabled_at=rfc3339(disabled_at) if disabled_at else None,
    )


def _webhook_view(webhook: WebhookDelivery) -> WebhookView:
    tried = webhook.attempts or webhook.status_code or webhook.reason
    return WebhookView(
        id=webhook.id,
        endpoint_id=webhook.endpoint,
        event_id=webhook.event_id,
        type=webhook.event_type,
        state=webhook.state,
        attempts=webhook.attempts,
        due_at=rfc3339(webhook.due_at) if webhook.state is WebhookState.OPEN else None,
        answer=(
            AnswerView(status=webhook.status_code, reason=webhook.reason) if tried else None
        ),
        created_at=rfc3339(webhook.created_at),
        settled_at=rfc3339(webhook.settled_at) if webhook.settled_at else None,
    )
