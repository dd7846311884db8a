"""An open-loop load: each request at its time, however long those before it take."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.bench.result import Latencies


async def paced(
    request: Callable[[int], Awaitable[float]], rate: int, seconds: float
) -> Latencies:
    """*request* gets its number, and returns the time of the loop when it was done."""
    loop = asyncio.get_running_loop()
    started = loop.time()

    async def timed(number: int) -> float:
        at = loop.time()
        return await request(number) - at

    requests: list[asyncio.Task[float]] = []
    async with asyncio.TaskGroup() as group:
        for number in range(max(round(rate * seconds), 1)):
            await asyncio.sleep(max(started + number / rate - loop.time(), 0))
            requests.append(group.create_task(timed(number)))
    return Latencies([one.result() for one in requests])
