"""The gateway by itself: its start, and what it uses while it has nothing to do."""

import asyncio
import json
from statistics import median

from gateway.bench.child import GatewayChild, ready_gateway
from gateway.bench.peer import peer
from gateway.bench.plan import Bench
from gateway.bench.processes import can_watch, children, usage
from gateway.bench.result import LeftOut, Measured, Result

_PATIENCE = 60
_MEBIBYTE = 2**20


async def start(bench: Bench) -> Result:
    """From the command to the registrar's 200."""
    loop = asyncio.get_running_loop()
    samples: list[float] = []
    for number in range(bench.plan.starts):
        async with peer() as registrar:
            child = _registering(bench, f"start-{number}", registrar.port)
            started = loop.time()
            async with child, asyncio.timeout(_PATIENCE):
                await registrar.registered.wait()
                samples.append(loop.time() - started)
                await child.ready()
    seconds = median(samples)
    return Measured(text=f"{seconds:.2f} s", figures={"seconds": seconds})


async def idle(bench: Bench) -> Result:
    """Registered, with nothing to do: the gateway and its SIP engine together."""
    if not can_watch():
        return LeftOut("needs Linux, whose /proc tells what a process uses")
    async with peer() as registrar:
        child = _registering(bench, "idle", registrar.port)
        async with ready_gateway(child):
            await registrar.registered.wait()
            pids = (child.pid, *children(child.pid))
            before = [usage(pid) for pid in pids]
            await asyncio.sleep(bench.plan.idle_seconds)
            after = [usage(pid) for pid in pids]
    used = sum(b.cpu_seconds - a.cpu_seconds for a, b in zip(before, after, strict=True))
    percent = 100 * used / bench.plan.idle_seconds
    megabytes = sum(one.resident_bytes for one in after) / _MEBIBYTE
    return Measured(
        text=f"{percent:.1f} % of a core, {megabytes:.0f} MB",
        figures={"cpu_percent": percent, "resident_mb": megabytes},
    )


def _registering(bench: Bench, name: str, registrar: int) -> GatewayChild:
    account = (
        '[[sip.accounts]]\nname = "bot"\nuri = "sip:bot@office.example"\n'
        'registrar = "sip:office.example"\nusername = "bot"\npassword = "unused"\n'
        f"proxy = {json.dumps(f'sip:127.0.0.1:{registrar};lr')}\n"
    )
    return GatewayChild(bench.folder / name, account, environment=bench.environment)
