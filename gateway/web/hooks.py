"""``/v1/hooks/{key}``: inbound webhooks."""

from collections.abc import Sequence

from pydantic import ConfigDict

from gateway.hook_delivery import HookReceipt
from gateway.hooks.receive import Hooks
from gateway.hooks.request import Accepted, HookRequest, Reason, Rejected
from gateway.hooks.verify import SIGNATURE_HEADER, TIMESTAMP_HEADER
from gateway.message import message_id_text
from gateway.metrics import Metrics
from gateway.web.access import too_many
from gateway.web.problem import Code, HttpProblem
from gateway.web.route import Answer, Call, RequestBody, Route, View


class HookDocument(RequestBody):
    """Any JSON object; of the format alertmanager, what Prometheus Alertmanager posts."""

    model_config = ConfigDict(extra="allow")

    text: str = ""
    """Of the format generic; without it, the members are told line by line."""
    to: str | tuple[str, ...] = ()
    """Of the format generic: the recipients, in the place of the configured ones."""
    id: str | int = ""
    """Of the format generic: the sender's own; the same one again is a retry."""


class HookReceiptView(View):
    """The webhook is committed, with the messages made of it."""

    delivery_id: str
    messages: tuple[str, ...]


class HookInlet:
    """Takes what other systems post; each source has a verification of its own."""

    def __init__(self, *, hooks: Hooks, metrics: Metrics) -> None:
        self._hooks = hooks
        self._metrics = metrics

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                method="POST",
                path="/v1/hooks/{key}",
                handler=self.post,
                summary="An inbound webhook, verified as its source is configured",
                description=(
                    "Where the source has a secret: Authorization: Bearer SECRET, or, in the "
                    f"format generic, {TIMESTAMP_HEADER} with {SIGNATURE_HEADER}."
                ),
                request=HookDocument,
                headers={
                    TIMESTAMP_HEADER: "The Unix time in seconds",
                    SIGNATURE_HEADER: (
                        "sha256= and the hexadecimal HMAC-SHA256, under the shared secret, "
                        f"of the {TIMESTAMP_HEADER}, a full stop, then the body"
                    ),
                },
                response=HookReceiptView,
                status=202,
                problems=(Code.SIGNATURE_INVALID, Code.RATE_LIMITED),
            ),
        )

    async def post(self, call: Call) -> Answer:
        key = call.path("key")
        request = HookRequest(
            body=await call.request.read(),
            content_type=call.request.content_type,
            headers=tuple(call.request.headers.items()),
        )
        match await self._hooks.receive(key, request):
            case Accepted(receipt=receipt):
                self._count(key, "duplicate" if receipt.duplicate else "accepted")
                return Answer.of(receipt_view(receipt), status=202)
            case Rejected() as rejected:
                # Any key can be asked for; only configured ones get a counter.
                known = rejected.reason is not Reason.UNKNOWN_KEY
                self._count(key if known else "unknown", rejected.reason)
                raise _problem(key, rejected)

    def _count(self, source: str, result: str) -> None:
        self._metrics.hooks.labels(source, result).inc()


def receipt_view(receipt: HookReceipt) -> HookReceiptView:
    messages = tuple(message_id_text(one) for one in receipt.message_ids)
    return HookReceiptView(delivery_id=receipt.delivery_id, messages=messages)


def _problem(key: str, rejected: Rejected) -> HttpProblem:
    if rejected.reason is Reason.RATE:
        return too_many(f"webhook {key}")
    code = Code(rejected.reason.value)
    headers = {"WWW-Authenticate": "Bearer"} if code.status == 401 else {}
    return HttpProblem(code, rejected.detail, headers=headers)
