"""The history: a page at the newest message, and one a million messages deep."""

import asyncio
import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.bench.child import RECORDER, GatewayChild, ready_gateway
from gateway.bench.peer import peer
from gateway.bench.plan import Bench
from gateway.bench.processes import until
from gateway.bench.result import Latencies, Measured, Result
from gateway.web.client import GatewayClient

_PAGE = 50
_PEERS = 500
_PATIENCE = 20


async def history(bench: Bench) -> Result:
    rows = bench.plan.history_rows
    child = GatewayChild(bench.folder, RECORDER, environment=bench.environment)
    await _make_first(child)
    bench.say(f"history: writing {rows:,} messages")
    await asyncio.to_thread(_multiply, child.data_dir / "gateway.db", rows)
    async with ready_gateway(child), child.client() as client:
        top = await client.history(limit=_PAGE)
        deep = _deeper(top["next_cursor"], rows // 2)
        shallow_times, deep_times = [], []
        for _ in range(bench.plan.pages):
            shallow_times.append(await _page(client, ""))
            deep_times.append(await _page(client, deep))
    p50, deep_p50 = (Latencies(t).percentile(50) for t in (shallow_times, deep_times))
    return Measured(
        text=f"{deep_p50:.1f} ms",
        figures={"depth_p50_ms": deep_p50, "newest_p50_ms": p50, "depth": rows // 2},
        rival=f"the newest page {p50:.1f} ms",
        ratio=deep_p50 / p50,
    )


async def _make_first(child: GatewayChild) -> None:
    """One message that the gateway stored itself, as a pattern for the others."""
    async with peer() as sender, ready_gateway(child):
        sender.send("a message of the benchmark", user="p0", port=child.port)

        async def stored() -> int:
            return await child.stored()

        await until(stored, _PATIENCE, lambda: "the first message is stored")


def _multiply(file: Path, rows: int) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(message)")]
        new = {
            "archive_id": "n",
            "id": "lower(hex(randomblob(16)))",
            "request_key": "NULL",
            "call_id": "'bench-' || n",
            "peer": f"'sip:p' || (n % {_PEERS}) || '@office.example'",
        }
        values = ", ".join(new.get(name, f'"{name}"') for name in columns)
        connection.execute(
            "WITH RECURSIVE numbers(n) AS"  # noqa: S608  the bench's own columns
            " (SELECT max(archive_id) + 1 FROM message UNION ALL"
            f"  SELECT n + 1 FROM numbers LIMIT {rows - 1})"
            f" INSERT INTO message SELECT {values} FROM numbers,"
            " (SELECT * FROM message LIMIT 1)"
        )


def _deeper(cursor: str, by: int) -> str:
    """A place *by* messages further down: to walk there takes longer than all the rest."""
    content = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    content[1] = str(int(content[1]) - by)
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


async def _page(client: GatewayClient, cursor: str) -> float:
    loop = asyncio.get_running_loop()
    started = loop.time()
    page = await client.history(limit=_PAGE, cursor=cursor)
    took = loop.time() - started
    assert len(page["items"]) == _PAGE, "the page is full"
    return took
