"""The crash sweep: kill -9 under load, again and again, and count what was lost.

``python -m tests.bench.crash_sweep --rounds 200``
"""

import asyncio
import random
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import click

from tests.bench.outbound_load import Delivered, OutboundLoad, open_deliveries
from tests.peers.gateway_process import GatewayProcess, eventually
from tests.peers.sip_ua import SipUserAgent
from tests.peers.sipp import Load, Sipp

IN_FLIGHT = 50
"""The gateway's window to one destination: so many may be sent twice by one crash."""
DRAINED_WITHIN = 180
"""Seconds."""
ACCOUNTS = """
[[sip.accounts]]
name = "bot"
uri = "sip:bot@localhost"
[[sip.accounts]]
name = "recorder"
uri = "sip:recorder@localhost"
mode = "record"
"""


class Victim(StrEnum):
    """What is killed."""

    GATEWAY = "gateway"
    ENGINE = "engine"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how hard."""

    rounds: int
    seed: int = 0
    inbound_per_second: int = 1_000
    outbound_per_second: int = 200
    seconds: float = 2.5
    """Of load in a round; the kill is at a random moment in it."""
    deadline: float = float("inf")
    """Seconds after which no more round begins."""


@dataclass(frozen=True, slots=True)
class Round:
    """One kill, and what became of the MESSAGE requests around it."""

    victim: Victim
    after: float
    acknowledged: int
    lost: frozenset[str]
    doubled: frozenset[str]
    """Call-IDs that are in the history more than once, acknowledged or not."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """All rounds, and what became of the messages sent meanwhile."""

    rounds: Sequence[Round]
    outbound: Delivered

    @property
    def is_clean(self) -> bool:
        """Nothing lost, nothing doubled but what was in flight, and that is marked."""
        inbound = all(not one.lost and not one.doubled for one in self.rounds)
        out = self.outbound
        few = len(out.twice) <= IN_FLIGHT * len(self.rounds)
        return inbound and few and not out.lost and not out.unmarked


async def crash_sweep(folder: Path, plan: Plan, say: Callable[[str], None]) -> Sweep:
    """Run the *plan* on a new gateway in *folder*; *say* gets a line each round."""
    chance = random.Random(plan.seed)  # noqa: S311  repeatable, not secret
    until = time.monotonic() + plan.deadline
    rounds: list[Round] = []
    async with (
        GatewayProcess(folder, ACCOUNTS) as gateway,
        SipUserAgent("sink", gateway.sip_port) as sink,
    ):
        load = OutboundLoad(gateway.data_dir, sink, plan.outbound_per_second)
        writing = asyncio.create_task(load.run())
        for number in range(1, plan.rounds + 1):
            if time.monotonic() > until:
                break
            victim = chance.choice(list(Victim))
            after = chance.uniform(0.1, plan.seconds)
            rounds.append(await _round(gateway, plan, victim, after, folder / "sipp"))
            say(_progress(number, rounds[-1], len(load.accepted)))
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        say(f"waiting for the deliveries, up to {DRAINED_WITHIN} s")
        await _drained(gateway)
        return Sweep(rounds, load.verdict(_database(gateway)))


async def _round(
    gateway: GatewayProcess, plan: Plan, victim: Victim, after: float, folder: Path
) -> Round:
    total = round(plan.inbound_per_second * plan.seconds)
    wanted = Load(total, plan.inbound_per_second, plan.inbound_per_second, patience=40)
    sipp = asyncio.create_task(
        Sipp(folder, gateway.sip_port, wanted, user="recorder").run(), name="SIPp"
    )
    await asyncio.sleep(after)  # the random moment
    await _kill(gateway, victim)
    sent = await sipp

    async def all_stored() -> bool:
        return sent.acknowledged <= _stored(gateway, sent.run).keys()

    with suppress(AssertionError):  # what is lost is counted, not raised
        await eventually(all_stored, 30)
    stored = _stored(gateway, sent.run)
    return Round(
        victim=victim,
        after=after,
        acknowledged=len(sent.acknowledged),
        lost=sent.acknowledged - stored.keys(),
        doubled=frozenset(call_id for call_id, times in stored.items() if times > 1),
    )


async def _kill(gateway: GatewayProcess, victim: Victim) -> None:
    if victim is not Victim.GATEWAY:
        gateway.kill_engine()
    if victim is not Victim.ENGINE:
        await gateway.kill()
        await gateway.start()


async def _drained(gateway: GatewayProcess) -> None:
    async def nothing_open() -> bool:
        return open_deliveries(_database(gateway)) == 0

    with suppress(AssertionError):  # what is still queued is counted
        await eventually(nothing_open, DRAINED_WITHIN, every=1)


def _database(gateway: GatewayProcess) -> Path:
    return gateway.data_dir / "gateway.db"


def _stored(gateway: GatewayProcess, run: str) -> Counter[str]:
    """How often each Call-ID of that *run* of SIPp is in the store."""
    query = "SELECT call_id FROM message WHERE direction = 'inbound' AND call_id LIKE ?"
    store = f"file:{_database(gateway)}?mode=ro"
    with closing(sqlite3.connect(store, uri=True)) as connection:
        return Counter(call_id for (call_id,) in connection.execute(query, (f"%-{run}@load",)))


def _progress(number: int, done: Round, accepted: int) -> str:
    return (
        f"{number:4}  {done.victim:7} killed after {done.after:4.1f} s:"
        f" {done.acknowledged} acknowledged, {len(done.lost)} lost,"
        f" {len(done.doubled)} doubled; {accepted} accepted for delivery so far"
    )


def table(sweep: Sweep) -> str:
    """The counts, a line for each kind of victim and one for the deliveries."""
    lines = ["killed      rounds  acknowledged    lost  doubled"]
    for victim in Victim:
        rounds = [one for one in sweep.rounds if one.victim is victim]
        lines.append(
            f"{victim:9} {len(rounds):8} {sum(one.acknowledged for one in rounds):13}"
            f" {sum(len(one.lost) for one in rounds):7}"
            f" {sum(len(one.doubled) for one in rounds):8}"
        )
    out = sweep.outbound
    lines.append(
        f"POST: {out.accepted} accepted, {out.delivered} delivered, {out.queued} still queued,"
        f" {len(out.lost)} lost; {len(out.twice)} sent twice, {len(out.unmarked)} of them"
        " unmarked"
    )
    return "\n".join(lines)


@click.command()
@click.option("--rounds", default=200, show_default=True)
@click.option("--seed", default=0, show_default=True, help="Of the victims and the moments.")
@click.option("--minutes", type=float, default=60, show_default=True, help="At most.")
def main(rounds: int, seed: int, minutes: float) -> None:
    """Kill the gateway, its engine or both under load; exit 1 when a promise was broken."""
    plan = Plan(rounds=rounds, seed=seed, deadline=minutes * 60)
    with tempfile.TemporaryDirectory(prefix="crash-sweep-") as folder:
        sweep = asyncio.run(crash_sweep(Path(folder), plan, click.echo))
    click.echo(table(sweep))
    raise SystemExit(0 if sweep.is_clean else 1)


if __name__ == "__main__":
    main()
