"""``/v1/hook-deliveries``: the inbound webhooks that were accepted."""

from collections.abc import Sequence

from gateway.hook_delivery import HookEntry
from gateway.hooks.receive import Hooks
from gateway.message import message_id_text
from gateway.ports import HookLog
from gateway.representation import rfc3339
from gateway.web.body import read_query
from gateway.web.cursor import cut, filter_hash, last_id
from gateway.web.history import PageParameters
from gateway.web.hooks import HookReceiptView, receipt_view
from gateway.web.problem import not_found
from gateway.web.route import Answer, Call, Route, Scope, View

_DEFAULT_LIMIT = 50
_MARK = filter_hash({"path": "/v1/hook-deliveries"})


class HookEntryView(View):
    """An inbound webhook, without its body."""

    id: str
    source: str
    received_at: str
    content_type: str
    size: int
    messages: tuple[str, ...]


class HookPageView(View):
    """A page of inbound webhooks, newest first."""

    items: tuple[HookEntryView, ...]
    next_cursor: str | None


class HookDeliveries:
    """Lists what came in, or makes its messages anew."""

    def __init__(self, *, hooks: Hooks, hook_log: HookLog) -> None:
        self._hooks = hooks
        self._hook_log = hook_log

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                method="GET",
                path="/v1/hook-deliveries",
                handler=self.entries,
                summary="The inbound webhooks that were accepted, newest first",
                scopes=(Scope.HOOKS_ADMIN,),
                query=PageParameters,
                response=HookPageView,
            ),
            Route(
                method="POST",
                path="/v1/hook-deliveries/{id}/replay",
                handler=self.replay,
                summary="Make messages of an inbound webhook once more",
                description="As its source is configured now, template and recipients.",
                scopes=(Scope.HOOKS_ADMIN,),
                response=HookReceiptView,
                status=202,
            ),
        )

    async def entries(self, call: Call) -> Answer:
        parameters = read_query(call.request, PageParameters)
        limit = parameters.limit or _DEFAULT_LIMIT
        before = last_id(parameters.cursor, _MARK)
        found = await self._hook_log.hook_deliveries(limit + 1, before=before)
        page, following = cut(found, limit, _MARK, lambda entry: entry.id)
        items = tuple(_entry_view(entry) for entry in page)
        return Answer.of(HookPageView(items=items, next_cursor=following))

    async def replay(self, call: Call) -> Answer:
        delivery_id = call.path("id")
        receipt = await self._hooks.replay(delivery_id)
        if receipt is None:
            raise not_found(f"no inbound webhook has the id {delivery_id}")
        return Answer.of(receipt_view(receipt), status=202)


def _entry_view(entry: HookEntry) -> HookEntryView:
    return HookEntryView(
        id=entry.id,
        source=entry.source,
        received_at=rfc3339(entry.received_at),
        content_type=entry.content_type,
        size=entry.size,
        messages=tuple(message_id_text(message_id) for message_id in entry.message_ids),
    )
