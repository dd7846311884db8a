"""The HTTP server: bound, stopped, or in the way of another."""

import asyncio
import socket
from collections.abc import Sequence

import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry

from gateway.config import Http
from gateway.errors import AlreadyRunning, ConfigError
from gateway.limits import KeyedLimit
from gateway.metrics import Metrics
from gateway.store.database import Database
from gateway.store.idempotency import SqlIdempotency
from gateway.store.tokens import SqlTokens
from gateway.web.access import Gate
from gateway.web.connections import MOST_CONNECTIONS
from gateway.web.idempotency import OnceOnly
from gateway.web.route import Answer, Call, Route
from gateway.web.server import WebServer, is_loopback
from tests.fakes import FakeClock


class Slow:
    """A resource that answers when it is let to."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.let_go = asyncio.Event()

    def routes(self) -> Sequence[Route]:
        return (Route(method="GET", path="/slow", handler=self.get, summary="Slow"),)

    async def get(self, call: Call) -> Answer:
        self.arrived.set()
        await self.let_go.wait()
        return Answer(body='{"done": true}')


def server(
    database: Database,
    http: Http,
    slow: Slow | None = None,
    *,
    most_connections: int = MOST_CONNECTIONS,
) -> WebServer:
    clock = FakeClock()
    return WebServer(
        http=http,
        resources=(slow,) if slow else (),
        gate=Gate(tokens=SqlTokens(database=database), limit=KeyedLimit(rate="", clock=clock)),
        once_only=OnceOnly(idempotency=SqlIdempotency(database=database), clock=clock),
        metrics=Metrics(CollectorRegistry()),
        most_connections=most_connections,
    )


async def test_port_zero_is_any_free_port(database: Database) -> None:
    async with (
        server(database, Http(port=0)) as one,
        server(database, Http(port=0)) as other,
    ):
        assert 0 < one.port != other.port
        assert one.url == f"http://127.0.0.1:{one.port}"


async def test_a_taken_port_is_named_with_what_to_set(database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(AlreadyRunning, match=str(port)) as caught:
            await server(database, Http(port=port)).__aenter__()

    assert "[http] port" in str(caught.value)


async def test_an_address_that_is_not_of_this_machine_is_a_wrong_setting(
    database: Database,
) -> None:
    with pytest.raises(ConfigError, match=r"\[http\] host"):
        await server(database, Http(host="192.0.2.1", port=0)).__aenter__()


async def test_a_stopping_server_ends_what_is_under_way(database: Database) -> None:
    slow = Slow()
    async with (
        ClientSession() as session,
        asyncio.timeout(5),
        asyncio.TaskGroup() as group,
        server(database, Http(port=0), slow) as running,
    ):
        under_way = group.create_task(fetch(session, f"{running.url}/slow"))
        await slow.arrived.wait()
        slow.let_go.set()

    assert under_way.result() == '{"done": true}'


async def fetch(session: ClientSession, url: str) -> str:
    async with session.get(url) as response:
        return await response.text()


async def test_a_stopped_server_has_given_its_port_back(database: Database) -> None:
    async with server(database, Http(port=0)) as first:
        port = first.port

    async with server(database, Http(port=port)) as second:
        assert second.port == port


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gateway.office.example", 200),
        ("Gateway.Office.Example:80", 200),
        ("10.0.0.5:8765", 200),
        ("rebound.example", 400),
    ],
)
async def test_beyond_loopback_a_name_is_served_when_it_is_listed(
    database: Database, name: str, expected: int
) -> None:
    http = Http(host="0.0.0.0", port=0, allowed_hosts=("gateway.office.example",))

    async with (
        ClientSession() as session,
        server(database, http) as running,
        session.get(f"{running.url}/openapi.json", headers={"Host": name}) as response,
    ):
        status = response.status

    assert status == expected


@pytest.mark.parametrize("host", ["::1", "::"])
async def test_ipv6_is_served(database: Database, host: str) -> None:
    async with (
        ClientSession() as session,
        server(database, Http(host=host, port=0)) as running,
        session.get(f"{running.url}/openapi.json") as response,
    ):
        status = response.status

    assert running.url.startswith("http://[::1]:")
    assert status == 200


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("LocalHost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.5", False),
        ("gateway.office.example", False),
    ],
)
def test_loopback_is_known_by_address_or_name(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected


async def test_a_connection_too_many_is_turned_away(database: Database) -> None:
    async with server(database, Http(port=0), most_connections=2) as web:
        held = [await asyncio.open_connection("127.0.0.1", web.port) for _ in range(2)]
        async with ClientSession() as client, client.get(f"{web.url}/openapi.json") as turned:
            problem = await turned.json(content_type="application/problem+json")
        for _, writer in held:
            writer.close()

    assert (turned.status, problem["code"]) == (429, "rate_limited")


async def test_once_one_is_closed_another_is_served(database: Database) -> None:
    async with server(database, Http(port=0), most_connections=1) as web:
        for _ in range(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
            writer.write(
                b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            answer = await reader.read()
            writer.close()

            assert answer.startswith(b"HTTP/1.1 200 ")
