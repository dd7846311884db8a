"""Several gateways on one PostgreSQL behind Kamailio's dispatcher, as docker/ has them."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gateway.web.client import GatewayClient
from gateway.web.local import LocalAccess
from tests.peers.composition import Composition
from tests.peers.gateway_process import ROOT, SIMULATED_PHONE, GatewayProcess
from tests.peers.kamailio import PASSWORD, Kamailio
from tests.peers.postgresql import PostgreSql


@dataclass(frozen=True, slots=True)
class Office:
    """What the phones of ``office.example`` write to, and what is behind it."""

    kamailio: Kamailio
    nodes: Sequence[GatewayProcess]
    database: AsyncEngine
    token: str
    """Of REST, for all of them: it is in the database."""

    def client(self, node: int) -> GatewayClient:
        """REST of that one, whether it is running or not."""
        url = f"http://127.0.0.1:{self.nodes[node].http_port}"
        return GatewayClient(LocalAccess(url=url, token=self.token))

    async def rows(self, query: str, **values: str) -> Sequence[Row[Any]]:
        """What the *query* finds in the database, or changes there."""
        async with self.database.begin() as connection:
            return (await connection.execute(text(query), values)).all()

    async def value(self, query: str, **values: str) -> Any:
        """The one that the *query* is for."""
        [[one]] = await self.rows(query, **values)
        return one


@asynccontextmanager
async def office(
    folder: Path,
    postgresql: PostgreSql,
    *,
    nodes: int,
    users: Iterable[str],
    sections: str = SIMULATED_PHONE,
) -> AsyncIterator[Office]:
    """*users* have the password of all tests; *sections* are what the nodes have more."""
    made = Composition(folder / "secrets")
    made.add_users(users, PASSWORD)
    database = postgresql.create_database()
    gateways: list[GatewayProcess] = []
    kamailio = Kamailio(lambda port: made.dispatcher(port, (g.sip_port for g in gateways)))
    configuration = made.node(kamailio, database)
    gateways += [
        GatewayProcess(folder / f"node{number}", configuration, sections)
        for number in range(nodes)
    ]
    async with AsyncExitStack() as stack:
        stack.enter_context(kamailio)
        await asyncio.gather(*(stack.enter_async_context(gateway) for gateway in gateways))
        engine = create_async_engine(database)
        stack.push_async_callback(engine.dispose)
        yield Office(
            kamailio=kamailio,
            nodes=gateways,
            database=engine,
            token=await _create_token(gateways[0]),
        )


async def _create_token(gateway: GatewayProcess) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "token", "create", "clients"),
        *("--scope", "messages:send", "--scope", "messages:read"),
        *("--config", str(gateway.configuration)),
        cwd=ROOT,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    printed, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    return printed.decode().strip()
