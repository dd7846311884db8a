"""``sip-gateway doctor``: checks what the gateway stands on, a line each."""

import asyncio
import json
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

import click

from gateway.address import DEFAULT_PORT, SipUri
from gateway.cli.options import config_option, json_option, load_settings, settings_file
from gateway.clock import now
from gateway.config import LOCAL_ACCOUNT_URI, Account, Settings
from gateway.errors import ConfigError, GatewayError
from gateway.microsip.diagnosis import diagnose
from gateway.store.database import Database
from gateway.tls import server_context, trusting
from gateway.web.client import GatewayClient, GatewayUnreachable, NoAnswer, RequestRefused
from gateway.web.local import read_local_access
from gateway.webhooks.diagnosis import diagnose_endpoint

REGISTRAR_WAIT = 2.0
PART_WIDTH = 24


class Grade(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked, and what to do about it."""

    grade: Grade
    part: str
    detail: str


@click.command()
@config_option
@json_option
@click.pass_context
def doctor(ctx: click.Context, config: Path | None, *, as_json: bool) -> None:
    """Check configuration, ports, registrar, database and MicroSIP; exit 1 on any fail."""
    findings = asyncio.run(_collect(config))
    if as_json:
        rows = [{"grade": f.grade, "part": f.part, "detail": f.detail} for f in findings]
        click.echo(json.dumps(rows, indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.grade:<4}  {finding.part:<{PART_WIDTH}} {finding.detail}")
    if any(finding.grade is Grade.FAIL for finding in findings):
        ctx.exit(1)


async def _collect(config: Path | None) -> list[Finding]:
    try:
        settings = load_settings(config)
    except ConfigError as exc:
        return [Finding(Grade.FAIL, "configuration", str(exc))]
    where = str(settings_file(config) or "no file, embedded defaults")
    findings = [Finding(Grade.OK, "configuration", where)]
    return findings + [finding async for finding in _findings(settings)]


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    yield _data_folder(settings.data_dir)
    for finding in (
        *_tls_files(settings),
        *(await _running(settings) or _not_running(settings)),
    ):
        yield finding
    yield await _database(settings)
    for account in settings.sip.accounts:
        yield await _account(account, settings)
    yield _rules(settings)
    for source in settings.hooks.sources:
        yield _hook(source.key, bool(source.secret.get_secret_value()))
    for endpoint in settings.webhooks.endpoints:
        grade, detail = await diagnose_endpoint(endpoint)
        yield Finding(Grade(grade), f"webhooks {endpoint.id}", detail)
    for grade, detail in await diagnose(settings.phone, clock=now):
        yield Finding(Grade(grade), "MicroSIP", detail)


def _data_folder(folder: Path) -> Finding:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        why = f"{folder}: {exc.strerror}; set data_dir to a folder you may write"
        return Finding(Grade.FAIL, "data folder", why)
    return Finding(Grade.OK, "data folder", str(folder))


async def _running(settings: Settings) -> list[Finding]:
    """What a running gateway says of itself; nothing when none runs."""
    access = read_local_access(settings.data_dir)
    if access is None:
        return []
    try:
        async with GatewayClient(access) as client:
            ready = await client.get("/readyz")
    except RequestRefused as exc:
        ready = exc.document
    except (GatewayUnreachable, NoAnswer):
        return []
    return [
        Finding(
            Grade.OK if part["ok"] else Grade.FAIL if part["required"] else Grade.WARN,
            f"running: {part['part']}",
            part["detail"],
        )
        for part in ready.get("parts", ())
    ]


def _not_running(settings: Settings) -> Iterator[Finding]:
    yield Finding(Grade.OK, "gateway", "not running; start it with: sip-gateway run")
    yield from _ports(settings)


def _ports(settings: Settings) -> Iterator[Finding]:
    sip, http = settings.sip, settings.http
    wanted = (
        ("SIP udp", socket.SOCK_DGRAM, sip.bind, sip.udp_port, "[sip] udp_port"),
        ("SIP tcp", socket.SOCK_STREAM, sip.bind, sip.tcp_port, "[sip] tcp_port"),
        ("SIP tls", socket.SOCK_STREAM, sip.bind, sip.tls_port, "[sip] tls_port"),
        ("HTTP", socket.SOCK_STREAM, http.host, http.port, "[http] port"),
    )
    for part, kind, host, port, key in wanted:
        if port is False:
            continue
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            with socket.socket(family, kind) as probe:
                if sys.platform != "win32" and kind is socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as exc:
            why = f"{host}:{port}: {exc.strerror}; stop what holds it, or set {key}"
            yield Finding(Grade.FAIL, part, why)
        else:
            yield Finding(Grade.OK, part, f"{host}:{port} is free" if port else "any free port")


def _tls_files(settings: Settings) -> Iterator[Finding]:
    """What the gateway would not start with, said before it is started."""
    sip, http = settings.sip, settings.http
    if sip.tls_port is not False and sip.tls_ca:
        yield _read("SIP tls_ca", partial(trusting, "[sip] tls_ca", sip.tls_ca))
    for part, section in (("SIP", sip), ("HTTP", http)):
        certificate, private_key = section.tls_certificate, section.tls_private_key
        if certificate and private_key:
            read = partial(server_context, f"[{part.lower()}]", certificate, private_key)
            yield _read(f"{part} tls_certificate", read)


def _read(part: str, read: Callable[[], object]) -> Finding:
    try:
        read()
    except ConfigError as exc:
        return Finding(Grade.FAIL, part, str(exc))
    return Finding(Grade.OK, part, "can be read")


async def _database(settings: Settings) -> Finding:
    try:
        async with Database(settings=settings.database, data_dir=settings.data_dir) as database:
            revision = await database.revision()
    except GatewayError as exc:
        return Finding(Grade.FAIL, "database", str(exc))
    at = revision.current or "empty"
    if revision.is_current:
        return Finding(Grade.OK, "database", f"at {at}")
    if settings.auto_upgrade:
        return Finding(Grade.OK, "database", f"at {at}, upgraded at the start")
    return Finding(Grade.FAIL, "database", f"at {at}; type: sip-gateway db upgrade")


async def _account(account: Account, settings: Settings) -> Finding:
    part = f"account {account.name}"[:PART_WIDTH]
    if account.registrar is None:
        if account.uri == LOCAL_ACCOUNT_URI and not settings.sip.trusted_sources:
            detail = f"{account.uri}, local: only this machine may command"
        else:
            detail = f"{account.uri}, without registrar"
        return Finding(Grade.OK, part, detail)
    if not account.password.get_secret_value():
        return Finding(Grade.WARN, part, "has no password; set password_file")
    uri = SipUri.parse(account.proxy or account.registrar)
    return await _registrar(part, uri)


async def _registrar(part: str, uri: SipUri) -> Finding:
    """Any answer to OPTIONS (RFC 3261, section 11) shows that a SIP server is there."""
    if (uri.parameter("transport") or "udp").lower() != "udp":
        return Finding(Grade.WARN, part, f"{uri}: not asked, it is not reached by UDP")
    loop = asyncio.get_running_loop()
    port = uri.port or DEFAULT_PORT
    try:
        found = await loop.getaddrinfo(uri.host, port, type=socket.SOCK_DGRAM)
    except OSError:
        return Finding(Grade.FAIL, part, f"{uri.host} has no address; check registrar, proxy")
    family, kind, _, _, address = found[0]
    with socket.socket(family, kind) as probe:
        probe.setblocking(False)
        try:
            probe.connect(address)
            await loop.sock_sendall(probe, _options(uri, probe.getsockname()))
            async with asyncio.timeout(REGISTRAR_WAIT):
                answer = await loop.sock_recv(probe, 4096)
        except TimeoutError:
            return Finding(
                Grade.FAIL, part, f"{uri} does not answer; is it up, is UDP allowed?"
            )
        except OSError as exc:
            return Finding(Grade.FAIL, part, f"{uri}: {exc.strerror}; is it up?")
    line = answer.split(b"\r\n", 1)[0].decode("ascii", "replace")
    return Finding(Grade.OK, part, f"{uri} answers: {line}")


def _options(uri: SipUri, local: tuple[str, int]) -> bytes:
    here = f"{local[0]}:{local[1]}"
    tag = os.urandom(6).hex()
    return (
        f"OPTIONS {uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{tag};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:doctor@{here}>;tag={tag}\r\nTo: <{uri}>\r\n"
        f"Call-ID: {tag}\r\nCSeq: 1 OPTIONS\r\nContact: <sip:doctor@{here}>\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


def _rules(settings: Settings) -> Finding:
    if settings.chat.rules:
        return Finding(Grade.OK, "chat rules", f"{len(settings.chat.rules)}, first match wins")
    return Finding(
        Grade.WARN, "chat rules", "none: nobody may command by SIP; add [[chat.rules]]"
    )


def _hook(key: str, signed: bool) -> Finding:  # noqa: FBT001  one call, by position
    if signed:
        return Finding(Grade.OK, f"hook {key}"[:PART_WIDTH], "verified by its secret")
    why = "no secret: whoever reaches the port may send; set secret_file"
    return Finding(Grade.WARN, f"hook {key}"[:PART_WIDTH], why)
