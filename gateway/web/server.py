"""The HTTP server: routes behind the gate, on one address."""

import asyncio
import errno
import json
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self

from aiohttp import web
from aiohttp.http import HttpProcessingError

from gateway.config import Http
from gateway.errors import AlreadyRunning, ConfigError
from gateway.metrics import Metrics
from gateway.tls import fingerprint, server_context
from gateway.web.access import Gate
from gateway.web.body import read_body, read_query
from gateway.web.connections import MOST_CONNECTIONS, at_most
from gateway.web.idempotency import OnceOnly
from gateway.web.middleware import MAX_BODY_BYTES, Ledger, problem_documents
from gateway.web.openapi import openapi_document
from gateway.web.origin import same_origin_only
from gateway.web.problem import invalid
from gateway.web.route import Answer, Call, QueryParameters, RequestBody, Resource, Route

_STOP_SECONDS = 4.0
_REACHED_BY = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104  bound, reached
_TAKEN = frozenset({errno.EADDRINUSE, 10013, 10048})  # WSAEACCES, WSAEADDRINUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long a client may take, in seconds."""

    head: float = 75.0
    """From the connection, or the answer before, to the end of a request's headers."""
    body: float = 30.0


_WAITS = Waits()


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server bound to *host*."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class WebServer:
    """Serves the resources while its context is open."""

    def __init__(
        self,
        *,
        http: Http,
        resources: Sequence[Resource],
        gate: Gate,
        once_only: OnceOnly,
        metrics: Metrics,
        waits: Waits = _WAITS,
        most_connections: int = MOST_CONNECTIONS,
    ) -> None:
        self._http = http
        self._resources = resources
        self._gate = gate
        self._once_only = once_only
        self._metrics = metrics
        self._waits = waits
        self._most_connections = most_connections
        self._stack = AsyncExitStack()
        self._port = http.port
        self._fingerprint = ""

    @property
    def port(self) -> int:
        """The port it is bound to, once it is."""
        return self._port

    @property
    def url(self) -> str:
        """Where this machine reaches it."""
        host = _REACHED_BY.get(self._http.host, self._http.host)
        scheme = "http" if self._http.tls_certificate is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self._port}"

    @property
    def fingerprint(self) -> str:
        """Of its certificate, as ``gateway.tls`` has it; empty without TLS."""
        return self._fingerprint

    @property
    def routes(self) -> tuple[Route, ...]:
        """The whole route table."""
        listed = tuple(route for resource in self._resources for route in resource.routes())
        return (*listed, self._document_route())

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            runner = web.AppRunner(
                self._application(),
                access_log=None,
                logger=_aiohttp_log(),
                keepalive_timeout=self._waits.head,
                shutdown_timeout=_STOP_SECONDS,
            )
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            listening = await self._bind(runner)
            stack.callback(listening.close)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Takes no more requests; those under way have a few seconds to end."""
        await self._stack.aclose()

    async def _bind(self, runner: web.AppRunner) -> asyncio.Server:
        host, port = self._http.host, self._http.port
        context = self._tls()
        assert runner.server is not None, "it is set up"
        connected = at_most(self._most_connections, runner.server)
        loop = asyncio.get_running_loop()
        try:
            listening = await loop.create_server(connected, host, port, ssl=context)
        except OSError as exc:
            if exc.errno in _TAKEN:
                raise AlreadyRunning(
                    f"port {port} of {host} is taken by another program, or another gateway; "
                    "stop it, or set another: [http] port = ... (GATEWAY_HTTP__PORT)"
                ) from exc
            raise ConfigError(
                f"cannot listen on {host}: {exc.strerror or exc}; "
                "set an address of this machine: [http] host = ... (GATEWAY_HTTP__HOST)"
            ) from exc
        self._port = listening.sockets[0].getsockname()[1]
        return listening

    def _tls(self) -> ssl.SSLContext | None:
        """Raises ConfigError."""
        certificate, private_key = self._http.tls_certificate, self._http.tls_private_key
        if certificate is None or private_key is None:
            return None
        context = server_context("[http]", certificate, private_key)
        self._fingerprint = fingerprint(certificate)
        return context

    def _application(self) -> web.Application:
        names = {"localhost", self._http.host.lower(), *self._http.allowed_hosts}
        middlewares = (
            Ledger(self._metrics).middleware,
            problem_documents,
            same_origin_only(names),
        )
        application = web.Application(middlewares=middlewares, client_max_size=MAX_BODY_BYTES)
        for route in self.routes:
            application.router.add_route(route.method, route.path, self._endpoint(route))
        return application

    def _endpoint(self, route: Route) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def endpoint(request: web.Request) -> web.Response:
            call = await self._gate.admit(request, route)
            await self._read(request)
            await _refuse_unknown(request, route)
            if route.takes_key:
                return _response(await self._once_only.answer(call, route.handler))
            return _response(await route.handler(call))

        return endpoint

    async def _read(self, request: web.Request) -> None:
        """The body, which the request keeps for who asks for it."""
        if request.content.is_eof():  # most come with their headers
            await request.read()
            return
        try:
            async with asyncio.timeout(self._waits.body):
                await request.read()
        except TimeoutError as exc:
            raise invalid(f"the body was not there after {self._waits.body:g} s") from exc

    def _document_route(self) -> Route:
        async def describe(call: Call) -> Answer:  # noqa: ARG001  a handler takes its call
            return Answer(body=json.dumps(openapi_document(self.routes)))

        return Route(
            method="GET",
            path="/openapi.json",
            handler=describe,
            summary="This interface as an OpenAPI 3.1 document",
        )


def _aiohttp_log() -> logging.Logger:
    """What aiohttp tells, but not of a malformed request: its header may hold a token."""
    log = logging.getLogger("aiohttp.server")
    log.addFilter(_tells_no_header)
    return log


def _tells_no_header(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


async def _refuse_unknown(request: web.Request, route: Route) -> None:
    """Parameters or members of a route that has none; a handler reads those it has."""
    if not route.scopes:  # probes, webhooks: their senders may add what they like
        return
    if route.query is None and request.query_string:
        read_query(request, QueryParameters)
    if route.request is None and route.method == "POST":
        await read_body(request, RequestBody)


def _response(answer: Answer) -> web.Response:
    headers = {"Content-Type": answer.content_type, **answer.headers}
    return web.Response(status=answer.status, body=answer.body.encode(), headers=headers)
