"""The soak: a million messages, and what the memory of both processes does meanwhile.

``python -m tests.bench.soak --messages 1000000``
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click

from gateway.bench.databases import SqliteFile
from gateway.bench.processes import usage
from tests.bench.crash_sweep import ACCOUNTS
from tests.bench.flood import pings
from tests.bench.outbound_load import OutboundLoad
from tests.peers.gateway_process import EVERYBODY_MAY, GatewayProcess, eventually
from tests.peers.sip_ua import SipUserAgent
from tests.peers.sipp import Load, Sipp

ALLOWED = 1.10
"""What a process may hold at the end, of what it held after the first tenth."""
CHATTERS = 20
_BETWEEN_PINGS = 4.0
"""Seconds: nobody is sent more than 20 replies in a minute."""
_MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, how hard."""

    messages: int
    """Inbound ones."""
    inbound_per_second: int
    outbound_per_second: int = 20
    slices: int = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """After so many messages."""

    messages: int
    acknowledged: int
    stored: int
    gateway: float
    engine: float
    """Resident, in MiB."""


@dataclass(frozen=True, slots=True)
class Soak:
    """All samples, in order."""

    samples: Sequence[Sample]

    @property
    def growth(self) -> tuple[float, float]:
        """Gateway, engine: the last sample beside that after the first tenth."""
        settled, last = self.samples[len(self.samples) // 10], self.samples[-1]
        return last.gateway / settled.gateway, last.engine / settled.engine

    @property
    def is_flat(self) -> bool:
        return max(self.growth) <= ALLOWED

    @property
    def lost(self) -> int:
        return self.samples[-1].acknowledged - self.samples[-1].stored


async def soak(folder: Path, plan: Plan, say: Callable[[str], None]) -> Soak:
    """Run the *plan* on a new gateway in *folder*; *say* gets a line each sample."""
    async with (
        GatewayProcess(folder, ACCOUNTS, EVERYBODY_MAY) as gateway,
        _everyday(gateway, plan),
    ):
        samples: list[Sample] = []
        acknowledged = 0
        each = plan.messages // plan.slices
        for number in range(1, plan.slices + 1):
            acknowledged += await _slice(gateway, plan, each, folder / "sipp")
            samples.append(await _sample(gateway, number * each, acknowledged))
            say(_line(samples[-1]))
        return Soak(samples)


async def _slice(gateway: GatewayProcess, plan: Plan, total: int, folder: Path) -> int:
    """How many of *total* messages were acknowledged."""
    rate = plan.inbound_per_second
    load = Load(total, rate, max(rate // 2, 10), patience=4 * total // rate + 60)
    return len((await Sipp(folder, gateway.sip_port, load, user="recorder").run()).acknowledged)


async def _sample(gateway: GatewayProcess, messages: int, acknowledged: int) -> Sample:
    database = SqliteFile(gateway.data_dir / "gateway.db")

    async def recorded() -> int:
        return await database.count("message", "account = 'recorder'")

    async def all_stored() -> bool:
        return await recorded() >= acknowledged

    with suppress(AssertionError):  # what is lost is counted, not raised
        await eventually(all_stored, 30)
    return Sample(
        messages=messages,
        acknowledged=acknowledged,
        stored=await recorded(),
        gateway=usage(gateway.pid).resident_bytes / _MEBIBYTE,
        engine=usage(gateway.engine_pid).resident_bytes / _MEBIBYTE,
    )


@asynccontextmanager
async def _everyday(gateway: GatewayProcess, plan: Plan) -> AsyncIterator[None]:
    """What goes on beside the inbound load: POSTs, and commands that are answered."""
    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(SipUserAgent("sink", gateway.sip_port))
        load = OutboundLoad(gateway.data_dir, sink, plan.outbound_per_second)
        chatters = [SipUserAgent(f"c{number}", gateway.sip_port) for number in range(CHATTERS)]
        for chatter in chatters:
            await stack.enter_async_context(chatter)
        talks = (pings(chatter, plan.messages, pause=_BETWEEN_PINGS) for chatter in chatters)
        tasks: list[asyncio.Task[object]] = [asyncio.create_task(load.run())]
        tasks += [asyncio.create_task(talk) for talk in talks]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


def _line(sample: Sample) -> str:
    return (
        f"{sample.messages:>10} sent {sample.acknowledged:>10} acknowledged"
        f" {sample.stored:>10} stored   gateway {sample.gateway:6.1f} MiB"
        f"   engine {sample.engine:6.1f} MiB"
    )


@click.command()
@click.option("--messages", default=1_000_000, show_default=True)
@click.option("--per-second", default=1_500, show_default=True)
def main(messages: int, per_second: int) -> None:
    """Exit 1 when a message was lost, or when a process grew by more than a tenth."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        done = asyncio.run(soak(Path(folder), Plan(messages, per_second), click.echo))
    gateway, engine = done.growth
    click.echo(
        f"after the first tenth the gateway grew to {gateway:.2f}, the engine to {engine:.2f}"
        f" of what it held; {done.lost} lost"
    )
    raise SystemExit(0 if done.is_flat and not done.lost else 1)


if __name__ == "__main__":
    main()
