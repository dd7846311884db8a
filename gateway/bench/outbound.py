"""``POST /v1/messages``: committed, then delivered to SIPp."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from gateway.bench.child import LOCAL_ACCOUNT, GatewayChild, ready_gateway
from gateway.bench.pace import paced
from gateway.bench.plan import Bench
from gateway.bench.posting import CONNECTIONS, Poster, poster
from gateway.bench.processes import BenchError, until
from gateway.bench.programs import SIPP, absent
from gateway.bench.result import LeftOut, Measured, Result, per_second
from gateway.bench.sipp import sink

AORS = 200
_PATIENCE = 120


async def delivered(bench: Bench) -> Result:
    if why := absent((SIPP,)):
        return LeftOut(why)
    plain = await _throughput(bench, bench.plan.deliveries, AORS)
    apart = replace(bench, folder=bench.folder / "keyed")
    keyed = await _throughput(apart, bench.plan.deliveries, AORS, keyed=True)
    return replace(
        plain,
        text=f"{plain.text}; with idempotency keys {keyed.text}",
        figures={**plain.figures, **{f"keyed_{k}": v for k, v in keyed.figures.items()}},
    )


async def delivered_to_one(bench: Bench) -> Result:
    if why := absent((SIPP,)):
        return LeftOut(why)
    return await _throughput(bench, bench.plan.deliveries_one_aor, 1)


async def accepted(bench: Bench) -> Result:
    if why := absent((SIPP,)):
        return LeftOut(why)
    plan = bench.plan
    loop = asyncio.get_running_loop()
    async with _to_sink(bench) as (gateway, port), poster(gateway.access()) as client:

        async def request(number: int) -> float:
            await _send(client, port, number, AORS)
            return loop.time()

        await paced(
            request, plan.accept_rate, plan.accept_seconds / 4
        )  # its peers are known then
        return (await paced(request, plan.accept_rate, plan.accept_seconds)).measured()


async def _throughput(bench: Bench, total: int, aors: int, *, keyed: bool = False) -> Measured:
    loop = asyncio.get_running_loop()
    async with _to_sink(bench) as (gateway, port):
        started = loop.time()
        async with poster(gateway.access(), keyed=keyed) as client:
            await _write_all(client, port, total, aors)
        accepted_in = loop.time() - started
        await _all_delivered(gateway, total)
        took = loop.time() - started
    return Measured(
        text=f"{per_second(total / took)} (accepted {per_second(total / accepted_in)})",
        figures={"per_second": total / took, "accepted_per_second": total / accepted_in},
    )


@asynccontextmanager
async def _to_sink(bench: Bench) -> AsyncIterator[tuple[GatewayChild, int]]:
    child = GatewayChild(bench.folder, LOCAL_ACCOUNT, environment=bench.environment)
    async with sink(bench.folder / "sipp") as port, ready_gateway(child):
        yield child, port


async def _write_all(client: Poster, port: int, total: int, aors: int) -> None:
    numbers = iter(range(total))

    async def write() -> None:
        for number in numbers:
            await _send(client, port, number, aors)

    async with asyncio.TaskGroup() as writers:
        for _ in range(CONNECTIONS):
            writers.create_task(write())


async def _send(client: Poster, port: int, number: int, aors: int) -> None:
    await client.send(f"sip:p{number % aors}@127.0.0.1:{port}", f"alert {number}")


async def _all_delivered(gateway: GatewayChild, total: int) -> None:
    async def none_is_open() -> bool:  # an index has these: to ask costs next to nothing
        return await gateway.database.count("delivery", "state = 'open'") == 0

    await until(none_is_open, _PATIENCE, lambda: f"{total} messages are delivered")
    delivered = await gateway.database.count("message", "status = 'delivered'")
    if delivered != total:
        raise BenchError(f"of {total} messages {delivered} are delivered")
