"""Several gateways behind one dispatcher: what of many messages is lost, doubled, overtaken.

``python -m tests.bench.nodes --messages 50000 --kill``
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from tests.bench.nodes_load import Load, Pace, bound, is_ours, keep_bound, post, users, write
from tests.bench.nodes_verdict import Arrival, Flow, Stored, Verdict, verdict
from tests.peers.dispatcher import Office, office
from tests.peers.gateway_process import ROOT, GatewayProcess, eventually
from tests.peers.postgresql import PostgreSql

IN_FLIGHT = 50
"""The gateways' window to one destination: so many may be sent twice by one kill."""
_LEASE = 120
"""Seconds after which what was in flight in a killed gateway is sent again."""
_TOLD_EVERY = 10
"""Seconds."""
_OPEN = "SELECT count(*) FROM delivery WHERE state = 'open'"
_STORED = "SELECT count(*) FROM message WHERE direction = 'inbound'"
_IN_ORDER = (
    "SELECT text, direction, status, resent, node, created_at AS at FROM message"
    " ORDER BY archive_id"
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many, how fast, among how many."""

    messages: int
    """Half of them to the bot, half from it."""
    nodes: int = 3
    people: int = 200
    per_second: int = 400
    """Of both directions together, at most."""
    kill: bool = False
    """One node, when half of the messages are acknowledged."""
    away: float = 45
    """Seconds after which it is started again: longer than its lease on what it had."""
    restart: bool = False
    """Each node in its turn, as for a new version: stopped, and started again."""

    @property
    def each(self) -> int:
        """Messages of a person, and to a person."""
        return max(1, self.messages // (2 * self.people))

    @property
    def total(self) -> int:
        return 2 * self.people * self.each


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run."""

    plan: Plan
    verdict: Verdict
    unanswered: int
    given_up: int
    retried: int
    accepted_by: list[int]
    """POSTs, by node."""
    seconds: float
    """Until the last message was acknowledged."""

    @property
    def is_clean(self) -> bool:
        """Nothing lost, nothing doubled but what was in flight, and that is marked."""
        found = self.verdict
        if self.plan.kill or self.plan.restart:
            return found.keeps_promises and len(found.twice) <= IN_FLIGHT
        return found.keeps_promises and not found.twice and not found.inbound.disordered


async def run(
    folder: Path, postgresql: PostgreSql, plan: Plan, say: Callable[[str], None]
) -> Outcome:
    """Carry the *plan* out; *say* gets a line now and then."""
    async with AsyncExitStack() as stack:
        behind = await stack.enter_async_context(
            office(folder, postgresql, nodes=plan.nodes, users=users(plan.people))
        )
        port = await stack.enter_async_context(_sink(folder / "wire"))
        load = Load()
        began = time.monotonic()
        await _carry_out(stack, behind, plan, port, load, say)
        seconds = time.monotonic() - began
        say("waiting for what is stored and sent later")
        await _settled(behind, load)
        found = verdict(
            load.acknowledged,
            load.accepted,
            await _history(behind),
            _wire(folder / "wire"),
        )
    return Outcome(
        plan=plan,
        verdict=found,
        unanswered=len(load.unanswered),
        given_up=len(load.given_up),
        retried=load.retried.total(),
        accepted_by=[list(load.accepted.values()).count(n) for n in range(plan.nodes)],
        seconds=seconds,
    )


async def _carry_out(
    stack: AsyncExitStack,
    behind: Office,
    plan: Plan,
    port: int,
    load: Load,
    say: Callable[[str], None],
) -> None:
    agents = await bound(stack, behind, plan.people, port)
    clients = [
        await stack.enter_async_context(behind.client(node)) for node in range(plan.nodes)
    ]
    in_pace, out_pace = Pace(plan.per_second / 2), Pace(plan.per_second / 2)
    beside = [asyncio.create_task(keep_bound(agents, port), name="bindings")]
    beside.append(asyncio.create_task(_tell(load, plan, say), name="progress"))
    async with asyncio.TaskGroup() as work:
        for agent in agents:
            work.create_task(write(agent, plan.each, in_pace, load))
            work.create_task(post(clients, agent.user, plan.each, out_pace, load))
        if plan.kill:
            work.create_task(_kill_one(behind.nodes[1 % plan.nodes], plan, load, say))
        if plan.restart:
            work.create_task(_restart_all(behind.nodes, plan, load, say))
    for task in beside:
        task.cancel()
    await asyncio.gather(*beside, return_exceptions=True)


async def _tell(load: Load, plan: Plan, say: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(_TOLD_EVERY)
        say(f"{load.done:6} of {plan.total} acknowledged")


async def _kill_one(
    node: GatewayProcess, plan: Plan, load: Load, say: Callable[[str], None]
) -> None:
    """Kill -9 of its two processes; what its journal has comes when it is back."""
    await _at(plan.total // 2, load)
    node.kill_engine()
    await node.kill()
    say(f"{load.done:6} acknowledged: killed the gateway on port {node.sip_port}")
    await asyncio.sleep(plan.away)  # its lease runs out meanwhile
    await node.start()
    say(f"{load.done:6} acknowledged: started it again")


async def _restart_all(
    nodes: Sequence[GatewayProcess], plan: Plan, load: Load, say: Callable[[str], None]
) -> None:
    """At even distances."""
    for number, node in enumerate(nodes, 1):
        await _at(plan.total * number // (len(nodes) + 1), load)
        exit_code = await node.stop()
        say(f"{load.done:6} acknowledged: stopped a gateway, exit code {exit_code}")
        await node.start()
        say(f"{load.done:6} acknowledged: started it again")


async def _at(number: int, load: Load) -> None:
    """Returns when so many messages are acknowledged."""

    async def reached() -> bool:
        return load.done >= number

    await eventually(reached, float("inf"))


@asynccontextmanager
async def _sink(file: Path) -> AsyncIterator[int]:
    """Its port."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.nodes_sink", str(file)),
        cwd=ROOT,
        stdin=DEVNULL,
        stdout=PIPE,
    )
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        os.kill(process.pid, signal.SIGTERM)
        await process.wait()


async def _settled(behind: Office, load: Load) -> None:
    async def nothing_open() -> bool:
        stored = await behind.value(_STORED)
        return not await behind.value(_OPEN) and stored >= len(load.acknowledged)

    with suppress(AssertionError):  # what is lost is counted, not raised
        await eventually(nothing_open, _LEASE + 60, every=1)


async def _history(behind: Office) -> list[Stored]:
    rows = await behind.rows(_IN_ORDER)
    return [
        Stored(row.text, row.direction == "inbound", row.status, row.resent, row.node, row.at)
        for row in rows
        if is_ours(row.text)
    ]


def _wire(file: Path) -> list[Arrival]:
    arrivals = (Arrival(*line.split("\t")) for line in file.read_text().splitlines())
    return [arrival for arrival in arrivals if is_ours(arrival.text)]


def table(outcome: Outcome) -> str:
    """The counts, and what they are of."""
    found, plan = outcome.verdict, outcome.plan
    done = found.inbound.acknowledged + found.outbound.acknowledged
    return "\n".join(
        [
            f"{'':10} acknowledged   in history once    lost  doubled  out of order",
            f"{_row('inbound', found.inbound)} in the history",
            f"{_row('outbound', found.outbound)} on the wire",
            f"inbound out of order by the history's times: {len(found.disordered_by_time)}",
            f"inbound without a 200: {outcome.unanswered}",
            f"POST repeated with its key: {outcome.retried}, given up: {outcome.given_up}",
            f"delivered {found.delivered}, still queued {found.queued}",
            f"at the sink twice {len(found.twice)}, unflagged {len(found.unflagged)}",
            f"inbound stored by: {_shares(found.stored_by)}",
            f"POST accepted by: {_shares(dict(enumerate(outcome.accepted_by)))}",
            f"MESSAGE sent by: {_shares(found.sent_by)}",
            f"{plan.nodes} nodes, {plan.people} people{_trouble(plan)}",
            f"{done} in {outcome.seconds:.0f} s, {done / outcome.seconds:.0f}/s",
        ]
    )


def _trouble(plan: Plan) -> str:
    return ", one killed" * plan.kill + ", each restarted" * plan.restart


def _row(name: str, flow: Flow) -> str:
    return (
        f"{name:10} {flow.acknowledged:12} {flow.once:17} {len(flow.lost):7}"
        f" {len(flow.doubled):8} {len(flow.disordered):13}"
    )


def _shares(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{name}: {counts[name]}" for name in sorted(counts))


@click.command()
@click.option("--messages", default=50_000, show_default=True, help="Half in, half out.")
@click.option("--nodes", default=3, show_default=True)
@click.option("--per-second", default=400, show_default=True, help="At most.")
@click.option("--kill", is_flag=True, help="One node half-way, and start it again later.")
@click.option("--restart", is_flag=True, help="Stop and start each node in its turn.")
def main(messages: int, nodes: int, per_second: int, *, kill: bool, restart: bool) -> None:
    """Send through all nodes; exit 1 when a promise was broken."""
    plan = Plan(
        messages=messages, nodes=nodes, per_second=per_second, kill=kill, restart=restart
    )
    with tempfile.TemporaryDirectory(prefix="nodes-") as folder, PostgreSql() as postgresql:
        outcome = asyncio.run(run(Path(folder), postgresql, plan, click.echo))
    click.echo(table(outcome))
    raise SystemExit(0 if outcome.is_clean else 1)


if __name__ == "__main__":
    main()
