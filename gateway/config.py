"""Everything that can be configured, with its defaults."""

import re
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    model_validator,
)

from gateway.address import SipUri
from gateway.errors import AddressError
from gateway.events import Subscription, Subscriptions
from gateway.numbers import INTERNATIONAL_PREFIX
from gateway.webhook_endpoint import (
    HOW_TO_MAKE_A_SECRET,
    endpoint_id,
    event_pattern,
    signing_keys,
    signing_secret,
    webhook_url,
)

APP = "sip-gateway"
LOCAL_ACCOUNT_URI = "sip:bot@localhost"

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_RATE = re.compile(r"(\d+(?:\.\d+)?)/(\d+)")


def parse_duration(text: object) -> timedelta:
    """``300ms``, ``60s``, ``5m``, ``72h``, ``7d``; ValueError for anything else."""
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if match is None:
        raise ValueError('a duration is text such as "300ms", "60s", "5m" or "72h"')
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def format_duration(value: timedelta) -> str:
    """The shortest text that ``parse_duration`` reads as *value*."""
    milliseconds = round(value.total_seconds() * 1000)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def _sip_uri(text: str) -> str:
    try:
        return str(SipUri.parse(text))
    except AddressError as exc:
        raise ValueError(str(exc)) from exc


def _source(text: str) -> str:
    """``host:port``, an address, or a network."""
    if re.fullmatch(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.\-]+):\d{1,5}", text):
        return text
    try:
        return str(ip_network(text, strict=False))
    except ValueError as exc:
        raise ValueError('"address:port" or a network such as "10.0.0.0/24"') from exc


def _rate(text: str) -> str:
    if text and not _RATE.fullmatch(text):
        raise ValueError('a limit is "per second/burst" such as "2/20", or "" for none')
    return text


def _host_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", text):
        raise ValueError('a host name such as "gateway.office.example", without a port')
    return text.lower()


def _no_file(value: object) -> object:
    """``""`` is how TOML says that there is none."""
    return None if value == "" else value


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
]
UriText = Annotated[str, AfterValidator(_sip_uri)]
Source = Annotated[str, AfterValidator(_source)]
Rate = Annotated[str, AfterValidator(_rate)]
WebhookUrl = Annotated[str, AfterValidator(webhook_url)]
SigningSecret = Annotated[SecretStr, AfterValidator(signing_secret)]
EventPattern = Annotated[str, AfterValidator(event_pattern)]
Port = Annotated[int, Field(ge=0, le=65535)] | Literal[False]
HostName = Annotated[str, AfterValidator(_host_name)]
OptionalFile = Annotated[Path | None, BeforeValidator(_no_file)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _both_or_none(certificate: Path | None, private_key: Path | None) -> None:
    if (certificate is None) != (private_key is None):
        raise ValueError("tls_certificate and tls_private_key belong together; set both")


class Account(_Section):
    """One SIP identity of the gateway."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,32}$")
    uri: UriText
    registrar: UriText | None = None
    proxy: UriText | None = None
    username: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    expires: int = Field(default=120, ge=10, le=86400)
    identity: Literal["from", "pai"] = "from"
    mode: Literal["bot", "record"] = "bot"

    @property
    def domain(self) -> str:
        return SipUri.parse(self.uri).host

    @property
    def outbound_proxy(self) -> str | None:
        """What all that the account sends goes through.

        A registrar over TLS is one by itself, lest a MESSAGE leave in the clear beside it.
        """
        if self.proxy is None and self.registrar and SipUri.parse(self.registrar).over_tls:
            return str(SipUri.parse(self.registrar).with_parameter("lr", ""))
        return self.proxy

    @property
    def uses_tls(self) -> bool:
        servers = (self.registrar, self.proxy)
        return any(SipUri.parse(uri).over_tls for uri in servers if uri)

    @model_validator(mode="after")
    def _registrar_needs_a_user(self) -> Self:
        if self.registrar and not self.username:
            raise ValueError("a registrar needs username (with password or password_file)")
        if not SipUri.parse(self.uri).user:
            raise ValueError("uri names no user; write it like sip:bot@office.example")
        return self


class Sip(_Section):
    bind: str = "0.0.0.0"  # noqa: S104  peers are on the office's network
    udp_port: Port = 5070
    tcp_port: Port = 5070
    tls_port: Port = False
    tls_certificate: OptionalFile = None
    tls_private_key: OptionalFile = None
    tls_ca: OptionalFile = None
    trusted_sources: tuple[Source, ...] = ()
    journal_sync: Literal["normal", "full"] = "normal"
    accounts: tuple[Account, ...] = Field(
        default=(Account(name="bot", uri=LOCAL_ACCOUNT_URI),), min_length=1, max_length=7
    )

    @model_validator(mode="after")
    def _tls_is_complete(self) -> Self:
        _both_or_none(self.tls_certificate, self.tls_private_key)
        if self.tls_port is not False and self.tls_ca is None:
            raise ValueError(
                "tls_port needs tls_ca, the PEM file of the authorities that sign your SIP"
                " servers' certificates (for public ones the system's, on Debian"
                " /etc/ssl/certs/ca-certificates.crt)"
            )
        over_tls = [account.name for account in self.accounts if account.uses_tls]
        if over_tls and self.tls_port is False:
            raise ValueError(
                f"account {over_tls[0]} has a server over TLS: set tls_port (0: any) and tls_ca"
            )
        return self


class DatabaseSettings(_Section):
    url: str = ""
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    auto_upgrade: bool | None = None


class Http(_Section):
    host: str = "127.0.0.1"
    port: int = Field(default=8765, ge=0, le=65535)
    tls_certificate: OptionalFile = None
    tls_private_key: OptionalFile = None
    allowed_hosts: tuple[HostName, ...] = ()

    @model_validator(mode="after")
    def _tls_is_complete(self) -> Self:
        _both_or_none(self.tls_certificate, self.tls_private_key)
        return self


class Limits(_Section):
    """Per second / burst."""

    sender_commands: Rate = "2/20"
    untrusted_source: Rate = "5/50"
    hook: Rate = "50/200"
    token: Rate = ""


class ChatRule(_Section):
    """First match wins."""

    who: tuple[str, ...] = Field(min_length=1)
    allow: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    hours: str = ""


class Chat(_Section):
    prefix: str = "/"
    max_reply_bytes: int = Field(default=700, ge=100, le=1000)
    command_max_age: Duration = timedelta(seconds=60)
    rules: tuple[ChatRule, ...] = ()


class Dde(_Section):
    service: str = "MicroSIP"
    topic: str = ""
    syntax: Literal["plain", "bracket"] = "plain"
    timeout: Duration = timedelta(seconds=5)
    status_words: Mapping[str, tuple[str, ...]] = Field(
        default={
            "idle": ("idle", "ready", "none"),
            "ringing": ("ringing", "incoming"),
            "dialing": ("dialing", "calling"),
            "active": ("active", "connected", "in call", "talking"),
            "held": ("held", "hold"),
        }
    )


class Phone(_Section):
    driver: Literal["auto", "dde", "copydata", "simulated", "none"] = "auto"
    executable: str = ""
    start: bool = True
    command_spacing: Duration = timedelta(milliseconds=300)
    allow_numbers: tuple[str, ...] = ("*",)
    deny_numbers: tuple[str, ...] = ("00*", "+*", "0900*")
    international_prefix: str = Field(default=INTERNATIONAL_PREFIX, pattern=r"^[0-9]{1,6}$")
    calls_per_hour: int = Field(default=30, ge=0)
    sender_calls_per_hour: int = Field(default=20, ge=0)
    dde: Dde = Dde()


class CallsSection(_Section):
    """Who is told of MicroSIP's calls in the chat."""

    notify: tuple[UriText, ...] = ()


class DeliverySettings(_Section):
    message_ttl: Duration = timedelta(hours=72)
    alert_ttl: Duration = timedelta(hours=1)
    unknown_retry: Duration = timedelta(seconds=30)
    concurrency: int = Field(default=64, ge=1, le=250)


class HookSource(_Section):
    """One inbound webhook."""

    key: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    format: Literal["generic", "alertmanager"] = "generic"
    secret: SecretStr = SecretStr("")
    secret_file: Path | None = None
    to: tuple[str, ...] = Field(min_length=1)
    template: str = ""


class Hooks(_Section):
    sources: tuple[HookSource, ...] = ()


class WebhookEndpoint(_Section):
    """Where outbound webhooks go."""

    url: WebhookUrl
    secret: SigningSecret = SecretStr("")
    secret_file: Path | None = None
    events: tuple[EventPattern, ...] = Field(default=("*",), min_length=1)
    private_networks: bool = False

    @property
    def id(self) -> str:
        """``whe_...``, the same as long as the URL is."""
        return endpoint_id(self.url)

    @property
    def keys(self) -> tuple[bytes, ...]:
        """What signs: several during a rotation."""
        return signing_keys(self.secret.get_secret_value())

    @model_validator(mode="after")
    def _is_signed(self) -> Self:
        if not self.keys:
            raise ValueError(f"needs secret or secret_file; {HOW_TO_MAKE_A_SECRET}")
        return self


class Webhooks(_Section):
    endpoints: tuple[WebhookEndpoint, ...] = ()

    @property
    def subscriptions(self) -> Subscriptions:
        """Which endpoint wants what."""
        return Subscriptions(
            [Subscription(endpoint=one.id, patterns=one.events) for one in self.endpoints]
        )


class Settings(_Section):
    """The whole configuration; ``gateway.config_file.load`` reads it."""

    data_dir: Path = Path(platformdirs.user_data_dir(APP, appauthor=False))
    sip: Sip = Sip()
    database: DatabaseSettings = DatabaseSettings()
    http: Http = Http()
    limits: Limits = Limits()
    chat: Chat = Chat()
    phone: Phone = Phone()
    calls: CallsSection = CallsSection()
    delivery: DeliverySettings = DeliverySettings()
    hooks: Hooks = Hooks()
    webhooks: Webhooks = Webhooks()

    @property
    def database_url(self) -> str:
        """The configured database, else SQLite in the data folder."""
        return self.database.url or f"sqlite+aiosqlite:///{self.data_dir / 'gateway.db'}"

    @property
    def auto_upgrade(self) -> bool:
        configured = self.database.auto_upgrade
        return self.database_url.startswith("sqlite") if configured is None else configured

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for what, names in (
            ("sip.accounts: name", [account.name for account in self.sip.accounts]),
            ("hooks.sources: key", [source.key for source in self.hooks.sources]),
            ("webhooks.endpoints: url", [one.url for one in self.webhooks.endpoints]),
        ):
            if twice := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"{what} {min(twice)!r} is there twice; give each its own")
        return self
