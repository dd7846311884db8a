"""The counters that ``/metrics`` shows."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """One gateway's counters on a registry of their own; names are public."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.inbound = Counter(
            "sip_gateway_inbound_messages",
            "MESSAGE requests stored, by status; dropped: beyond the limit of a source.",
            ["status"],
            registry=registry,
        )
        self.attempts = Counter(
            "sip_gateway_delivery_attempts",
            "Delivery attempts, by final response code.",
            ["code"],
            registry=registry,
        )
        self.settled = Counter(
            "sip_gateway_deliveries",
            "Deliveries that came to an outcome.",
            ["outcome"],
            registry=registry,
        )
        self.commands = Counter(
            "sip_gateway_commands",
            "Commands, by verb and outcome.",
            ["verb", "outcome"],
            registry=registry,
        )
        self.hooks = Counter(
            "sip_gateway_hook_deliveries",
            "Inbound webhooks, by source and what became of them.",
            ["source", "result"],
            registry=registry,
        )
        self.webhook_attempts = Counter(
            "sip_gateway_webhook_attempts",
            "POST requests of outbound webhooks, by endpoint and what became of them.",
            ["endpoint", "result"],
            registry=registry,
        )
        self.webhooks_waiting = Gauge(
            "sip_gateway_webhooks_waiting",
            "Outbound webhooks that are not settled yet, by endpoint.",
            ["endpoint"],
            registry=registry,
        )
        self.engine_starts = Counter(
            "sip_gateway_engine_starts",
            "Starts of the SIP engine process.",
            registry=registry,
        )
        self.queued = Gauge(
            "sip_gateway_deliveries_queued",
            "Deliveries that are not settled yet; NaN while the database is away.",
            registry=registry,
        )
        self.in_flight = Gauge(
            "sip_gateway_deliveries_in_flight",
            "MESSAGE requests waiting for a final response.",
            registry=registry,
        )
        self.registered = Gauge(
            "sip_gateway_registered",
            "1 while the account is registered.",
            ["account"],
            registry=registry,
        )
        self.request_seconds = Histogram(
            "sip_gateway_http_request_seconds",
            "HTTP requests, by route and status.",
            ["method", "route", "status"],
            registry=registry,
        )
