"""The ``[sip]`` settings as the engine's first command."""

import importlib.util
from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path

from gateway.address import SipUri
from gateway.config import Account, Sip
from gateway.errors import ConfigError
from gateway.sip.wire import EngineAccount, Listener, Open

JOURNAL = "journal.db"


def open_command(settings: Sip, data_dir: Path, contact_secrets: Mapping[str, str]) -> Open:
    """Raises ConfigError for what the engine cannot do."""
    if importlib.util.find_spec("pjsua2") is None:
        raise ConfigError(
            "SIP needs the package pjsua2-python, which exists for CPython 3.11 or 3.12 on"
            " x86-64 Linux, Windows or macOS: run the gateway with one of these"
        )
    listeners = _listeners(settings)
    tcp_only = all(listener.transport != "UDP" for listener in listeners)
    return Open(
        journal=str(data_dir / JOURNAL),
        journal_sync=settings.journal_sync,
        bind=_bind(settings.bind),
        listeners=listeners,
        accounts=tuple(
            _account(account, contact_secrets.get(account.name, ""), tcp_only=tcp_only)
            for account in settings.accounts
        ),
    )


def over_tcp(uri: str) -> str:
    """*uri* with ``;transport=tcp``, unless it names a transport: without it UDP is meant."""
    parsed = SipUri.parse(uri)
    if parsed.parameter("transport") is None:
        parsed = parsed.with_parameter("transport", "tcp")
    return str(parsed)


def _listeners(settings: Sip) -> tuple[Listener, ...]:
    # tls_port joins them once the engine can open it.
    ports = (("UDP", settings.udp_port), ("TCP", settings.tcp_port))
    listeners = tuple(Listener(name, port) for name, port in ports if port is not False)
    if not listeners:
        raise ConfigError("no SIP transport: set [sip] udp_port or tcp_port to a port")
    return listeners


def _bind(address: str) -> str:
    try:
        return str(IPv4Address(address))
    except AddressValueError as exc:
        raise ConfigError(
            f"[sip] bind = {address!r} is no IPv4 address: set this machine's,"
            ' or "0.0.0.0" for all it has'
        ) from exc


def _account(account: Account, contact_secret: str, *, tcp_only: bool) -> EngineAccount:
    registrar, proxy = account.registrar or "", account.proxy or ""
    if tcp_only:
        registrar = over_tcp(registrar) if registrar else ""
        proxy = over_tcp(proxy) if proxy else ""
    return EngineAccount(
        name=account.name,
        uri=account.uri,
        registrar=registrar,
        proxy=proxy,
        username=account.username,
        password=account.password.get_secret_value(),
        expires=account.expires,
        contact_parameters=f";gw={contact_secret}" if contact_secret else "",
        sends=account.mode == "bot",
    )
