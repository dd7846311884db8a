"""``/healthz``, ``/readyz``, ``/metrics``, ``/v1/version``: how the gateway is."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from gateway.errors import StorageUnavailable
from gateway.metrics import Metrics
from gateway.ports import Health, Probe
from gateway.version import VERSION
from gateway.web.route import Answer, Call, Route, View


class AliveView(View):
    """The gateway answers."""

    status: Literal["ok"] = "ok"


class PartView(View):
    """How one part is; only *required* ones decide."""

    part: str
    ok: bool
    required: bool
    detail: str


class ReadyView(View):
    """Whether the gateway can do its work: 503 when a required part cannot."""

    status: Literal["ok", "unavailable"]
    parts: tuple[PartView, ...]


class VersionView(View):
    """What runs here."""

    name: Literal["sip-message-gateway"] = "sip-message-gateway"
    version: str


class Watch:
    """Says how the gateway is; none of it needs a token."""

    def __init__(
        self,
        *,
        probes: Sequence[Probe],
        queue_depth: Callable[[], Awaitable[int]],
        webhooks_waiting: Callable[[], Awaitable[Mapping[str, int]]],
        metrics: Metrics,
    ) -> None:
        self._probes = probes
        self._queue_depth = queue_depth
        self._webhooks_waiting = webhooks_waiting
        self._metrics = metrics

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                method="GET",
                path="/healthz",
                handler=self.alive,
                summary="Alive",
                response=AliveView,
            ),
            Route(
                method="GET",
                path="/readyz",
                handler=self.ready,
                summary="Ready: 503 while a required part is not",
                response=ReadyView,
                or_status=503,
            ),
            Route(
                method="GET",
                path="/metrics",
                handler=self.metrics,
                summary="Counters for Prometheus",
                content_type="text/plain",
            ),
            Route(
                method="GET",
                path="/v1/version",
                handler=self.version,
                summary="The gateway's version",
                response=VersionView,
            ),
        )

    async def alive(self, call: Call) -> Answer:  # noqa: ARG002  a handler takes its call
        return Answer.of(AliveView())

    async def ready(self, call: Call) -> Answer:  # noqa: ARG002
        parts = [part for probe in self._probes for part in await probe.health()]
        ready = all(part.ok for part in parts if part.required)
        view = ReadyView(
            status="ok" if ready else "unavailable",
            parts=tuple(_part_view(part) for part in parts),
        )
        return Answer.of(view, status=200 if ready else 503)

    async def metrics(self, call: Call) -> Answer:  # noqa: ARG002
        try:
            self._metrics.queued.set(await self._queue_depth())
            self._count_webhooks(await self._webhooks_waiting())
        except StorageUnavailable:
            self._metrics.queued.set(math.nan)  # the other figures are needed most now
        return Answer(
            body=generate_latest(self._metrics.registry).decode(),
            content_type=CONTENT_TYPE_LATEST,
        )

    def _count_webhooks(self, waiting: Mapping[str, int]) -> None:
        self._metrics.webhooks_waiting.clear()
        for endpoint, count in waiting.items():
            self._metrics.webhooks_waiting.labels(endpoint).set(count)

    async def version(self, call: Call) -> Answer:  # noqa: ARG002
        return Answer.of(VersionView(version=VERSION))


def _part_view(part: Health) -> PartView:
    return PartView(part=part.part, ok=part.ok, required=part.required, detail=part.detail)
