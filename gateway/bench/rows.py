"""The rows of the benchmark's table."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from gateway.bench.history import history
from gateway.bench.inbound import inbound_postgresql, inbound_power_cut, inbound_sqlite
from gateway.bench.lifetime import idle, start
from gateway.bench.outbound import accepted, delivered, delivered_to_one
from gateway.bench.plan import Bench
from gateway.bench.processes import BenchError
from gateway.bench.reaction import chat, webhook
from gateway.bench.result import LeftOut, Result


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is measured."""

    name: str
    work: str
    aim: str
    measure: Callable[[Bench], Awaitable[Result]]

    async def result(self, bench: Bench) -> Result:
        """In a folder of its own."""
        try:
            return await self.measure(replace(bench, folder=bench.folder / self.name))
        except BenchError as exc:
            return LeftOut(f"it did not work: {_last_line(str(exc))}")


ROWS = (
    Row(
        "inbound-sqlite",
        "MESSAGE in: acknowledged, journalled, stored on SQLite",
        "1.5 x msilo",
        inbound_sqlite,
    ),
    Row(
        "inbound-power-cut",
        'the same with journal_sync = "full", which survives a power cut',
        "",
        inbound_power_cut,
    ),
    Row(
        "inbound-postgresql",
        "MESSAGE in: acknowledged, journalled, stored on PostgreSQL",
        "2 x msilo",
        inbound_postgresql,
    ),
    Row(
        "deliver",
        "POST /v1/messages, committed, delivered to 200 AORs at one SIPp",
        "1,000/s",
        delivered,
    ),
    Row("deliver-one-aor", "the same to one AOR, one after the other", "", delivered_to_one),
    Row("accept", "POST /v1/messages at 500/s: its 202", "p99 20 ms", accepted),
    Row(
        "webhook",
        "webhook at 50/s: its MESSAGE on the wire",
        "p50 20 ms, p99 100 ms",
        webhook,
    ),
    Row("chat", "chat command, simulated phone: the reply", "p50 10 ms, p99 50 ms", chat),
    Row("history", "page of 50, a million of two million messages deep", "1.3 x", history),
    Row("start", "start, until registered", "2 s", start),
    Row("idle", "idle: CPU and memory, both processes", "1 %, 120 MB", idle),
)


def _last_line(text: str) -> str:
    """Of what a process printed: it says most."""
    return text.strip().rpartition("\n")[2].strip()
