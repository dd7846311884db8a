"""The ``[sip]`` settings as the engine's first command."""

import importlib.util
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from gateway.address import SipUri
from gateway.config import Account, Sip
from gateway.errors import ConfigError
from gateway.sip.wire import EngineAccount, Listener, Open, Tls
from gateway.tls import server_context, trusting

JOURNAL = "journal"


def open_command(settings: Sip, data_dir: Path, contact_secrets: Mapping[str, str]) -> Open:
    """Raises ConfigError for what the engine cannot do."""
    if importlib.util.find_spec("pjsua2") is None:
        raise ConfigError(
            "SIP needs the package pjsua2-python, which exists for CPython 3.11 or 3.12 on"
            " x86-64 Linux, Windows or macOS: run the gateway with one of these"
        )
    listeners = _listeners(settings)
    transport = usual_transport(listeners)
    return Open(
        journal=str(data_dir / JOURNAL),
        journal_sync=settings.journal_sync,
        bind=_bind(settings.bind),
        listeners=listeners,
        accounts=tuple(
            _account(account, contact_secrets.get(account.name, ""), transport)
            for account in settings.accounts
        ),
        tls=_tls(settings),
    )


def usual_transport(listeners: Sequence[Listener]) -> str:
    """What a URI that names none is reached over: UDP, where there is UDP."""
    return listeners[0].transport.lower()


def over(transport: str, uri: str) -> str:
    """*uri* with *transport*, unless it says by itself what it is reached over."""
    parsed = SipUri.parse(uri)
    if transport == "udp" or parsed.over_tls or parsed.parameter("transport") is not None:
        return uri  # without one UDP is meant
    return str(parsed.with_parameter("transport", transport))


def _listeners(settings: Sip) -> tuple[Listener, ...]:
    ports = (
        ("UDP", settings.udp_port),
        ("TCP", settings.tcp_port),
        ("TLS", settings.tls_port),
    )
    listeners = tuple(Listener(name, port) for name, port in ports if port is not False)
    if not listeners:
        raise ConfigError("no SIP transport: set [sip] udp_port, tcp_port or tls_port")
    return listeners


def _bind(address: str) -> str:
    try:
        return str(IPv4Address(address))
    except ValueError as exc:
        raise ConfigError(
            f"[sip] bind = {address!r} {_why_not(address)}: set this machine's IPv4 address,"
            ' or "0.0.0.0" for all it has'
        ) from exc


def _why_not(address: str) -> str:
    try:
        IPv6Address(address)
    except ValueError:
        return "is no IPv4 address"
    return "is IPv6, for which the SIP library was not built (a SIP proxy can stand between)"


def _tls(settings: Sip) -> Tls | None:
    """PJSIP reads these files at the first connection, and then tells nobody what is wrong."""
    if settings.tls_port is False or settings.tls_ca is None:
        return None
    trusting("[sip] tls_ca", settings.tls_ca)
    certificate, private_key = settings.tls_certificate, settings.tls_private_key
    if certificate is None or private_key is None:
        return Tls(authorities=str(settings.tls_ca))
    server_context("[sip]", certificate, private_key)
    return Tls(
        certificate=str(certificate),
        private_key=str(private_key),
        authorities=str(settings.tls_ca),
    )


def _account(account: Account, contact_secret: str, transport: str) -> EngineAccount:
    return EngineAccount(
        name=account.name,
        uri=account.uri,
        registrar=over(transport, account.registrar) if account.registrar else "",
        proxy=over(transport, account.outbound_proxy) if account.outbound_proxy else "",
        username=account.username,
        password=account.password.get_secret_value(),
        expires=account.expires,
        contact_parameters=f";gw={contact_secret}" if contact_secret else "",
        sends=account.mode == "bot",
    )
