"""Inbound MESSAGE: acknowledged and stored, beside Kamailio's ``msilo``."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Protocol

from gateway.bench.child import RECORDER, GatewayChild, ready_gateway
from gateway.bench.msilo import Msilo, msilo_on_postgresql, msilo_on_sqlite
from gateway.bench.plan import Bench
from gateway.bench.postgresql import PostgreSqlServer, server_programs, started_server
from gateway.bench.programs import (
    KAMAILIO,
    KAMAILIO_POSTGRESQL,
    KAMAILIO_SQLITE,
    PSQL,
    SIPP,
    absent,
)
from gateway.bench.result import LeftOut, Measured, Result, per_second
from gateway.bench.search import Bounds, highest_sustained
from gateway.bench.sipp import Flood, flood

_LATE = 1.0
"""Seconds: what is acknowledged by then, but not stored, was not sustained."""
_SLACK = 1.15
_STARTING = 0.5
"""Seconds that SIPp takes to start and to end."""
_WORKERS = (2, 8)
"""Of the rival on PostgreSQL: its best is taken."""


class Storing(Protocol):
    """A SIP server that keeps what it acknowledges."""

    port: int

    async def stored(self) -> int: ...


Contender = Callable[[Path], AbstractAsyncContextManager[Storing]]
"""Starts a new one on a new database, in that folder."""


async def inbound_sqlite(bench: Bench) -> Result:
    if why := absent((SIPP,)):
        return LeftOut(why)
    ours = await _highest(bench, "gateway, SQLite", _gateway(bench, ""))
    if why := absent((KAMAILIO, KAMAILIO_SQLITE)):
        return _alone(ours, why)
    return _beside(ours, await _highest(bench, "msilo, SQLite", msilo_on_sqlite))


async def inbound_power_cut(bench: Bench) -> Result:
    """As msilo does on SQLite, whose commits are on the disk before the 200 leaves."""
    if why := absent((SIPP,)):
        return LeftOut(why)
    ours = await _highest(bench, "gateway, full", _gateway(bench, 'journal_sync = "full"'))
    if why := absent((KAMAILIO, KAMAILIO_SQLITE)):
        return _alone(ours, why)
    return _beside(ours, await _highest(bench, "msilo, SQLite", msilo_on_sqlite))


async def inbound_postgresql(bench: Bench) -> Result:
    programs = server_programs()
    if why := absent((SIPP, PSQL)):
        return LeftOut(why)
    async with AsyncExitStack() as stack:
        if bench.postgresql:
            server = PostgreSqlServer(bench.postgresql)
        elif programs is not None:
            server = await stack.enter_async_context(started_server(programs))
        else:
            return LeftOut("needs: apt-get install postgresql, or --postgresql URL")
        ours = await _highest(bench, "gateway, PostgreSQL", _gateway_on(bench, server))
        if why := absent((KAMAILIO, KAMAILIO_POSTGRESQL)):
            return _alone(ours, why)
        theirs = [
            await _highest(bench, f"msilo, PostgreSQL, {n} workers", _msilo_on(server, n))
            for n in _WORKERS
        ]
        return _beside(ours, max(theirs))


def _gateway(bench: Bench, sip: str) -> Contender:
    def start(folder: Path) -> AbstractAsyncContextManager[GatewayChild]:
        child = GatewayChild(folder, RECORDER, environment=bench.environment, sip=sip)
        return ready_gateway(child)

    return start


def _gateway_on(bench: Bench, server: PostgreSqlServer) -> Contender:
    @asynccontextmanager
    async def start(folder: Path) -> AsyncIterator[GatewayChild]:
        async with server.database() as database:
            child = GatewayChild(
                folder, RECORDER, environment=bench.environment, database=database
            )
            async with ready_gateway(child):
                yield child

    return start


def _msilo_on(server: PostgreSqlServer, workers: int) -> Contender:
    @asynccontextmanager
    async def start(folder: Path) -> AsyncIterator[Msilo]:
        async with (
            server.database() as database,
            msilo_on_postgresql(folder, database, workers) as msilo,
        ):
            yield msilo

    return start


async def _highest(bench: Bench, who: str, contender: Contender) -> int:
    plan = bench.plan
    trials = 0

    async def trial(rate: int) -> bool:
        nonlocal trials
        trials += 1
        folder = bench.folder / f"{who.replace(', ', '-').replace(' ', '-')}-{trials}"
        async with contender(folder) as server:
            done = await flood(folder / "sipp", server.port, rate, plan.trial_seconds)
            sustained = _kept_up(done, plan.trial_seconds) and await _all_stored(server, done)
        bench.say(f"{who}: {per_second(rate)} {'sustained' if sustained else 'is too much'}")
        return sustained

    bounds = Bounds(first=plan.first_rate, highest=plan.highest_rate, precision=plan.precision)
    return await highest_sustained(trial, bounds)


def _kept_up(done: Flood, seconds: float) -> bool:
    """All acknowledged in time, hardly any asked for twice."""
    return (
        done.acknowledged == done.wanted
        and done.retransmissions <= done.wanted / 100
        and done.seconds <= seconds * _SLACK + _STARTING
    )


async def _all_stored(server: Storing, done: Flood) -> bool:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _LATE
    while await server.stored() < done.acknowledged:
        if loop.time() > deadline:
            return False
        await asyncio.sleep(0.05)
    return True


def _alone(ours: int, why: str) -> Measured:
    return Measured(text=per_second(ours), figures={"per_second": ours}, rival=f"msilo {why}")


def _beside(ours: int, theirs: int) -> Measured:
    return Measured(
        text=per_second(ours),
        figures={"per_second": ours, "rival_per_second": theirs},
        rival=f"msilo {per_second(theirs)}",
        ratio=ours / theirs if theirs else None,
    )
