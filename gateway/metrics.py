"""The counters that ``/metrics`` shows."""

from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """One gateway's counters on a registry of their own; names are public."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        counter = partial(Counter, namespace="sip_gateway", registry=registry)
        gauge = partial(Gauge, namespace="sip_gateway", registry=registry)
        histogram = partial(Histogram, namespace="sip_gateway", registry=registry)
        self.inbound = counter(
            "inbound_messages",
            "MESSAGE requests stored, by status; dropped: beyond the limit of a source.",
            ["status"],
        )
        self.attempts = counter(
            "delivery_attempts", "Delivery attempts, by final response code.", ["code"]
        )
        self.settled = counter("deliveries", "Deliveries that came to an outcome.", ["outcome"])
        self.commands = counter(
            "commands", "Commands, by verb and outcome.", ["verb", "outcome"]
        )
        self.hooks = counter(
            "hook_deliveries", "Inbound webhooks, by source and result.", ["source", "result"]
        )
        self.webhook_attempts = counter(
            "webhook_attempts", "POSTs of outbound webhooks, by result.", ["endpoint", "result"]
        )
        self.webhooks_waiting = gauge(
            "webhooks_waiting", "Outbound webhooks that are not settled yet.", ["endpoint"]
        )
        self.engine_starts = counter("engine_starts", "Starts of the SIP engine process.")
        self.queued = gauge(
            "deliveries_queued",
            "Deliveries that are not settled yet; NaN while the database is away.",
        )
        self.in_flight = gauge(
            "deliveries_in_flight", "MESSAGE requests waiting for a final response."
        )
        self.registered = gauge("registered", "1 while the account is registered.", ["account"])
        self.request_seconds = histogram(
            "http_request_seconds", "HTTP requests.", ["method", "route", "status"]
        )
