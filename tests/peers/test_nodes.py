"""Several gateways on one PostgreSQL behind Kamailio's dispatcher."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.bench.nodes import Plan, run, table
from tests.peers.dispatcher import Office, office
from tests.peers.gateway_process import EVERYBODY_MAY, GatewayProcess, eventually
from tests.peers.postgresql import PostgreSql
from tests.peers.sip_ua import SipUserAgent

pytestmark = [pytest.mark.timeout(180), pytest.mark.peer("kamailio", "postgresql")]

BUSY_PHONE = """
[phone]
driver = "simulated"
command_spacing = "60s"
"""
"""After the first command, the second one waits, and what is behind it too."""


async def test_nothing_is_lost_doubled_or_overtaken(
    tmp_path: Path, postgresql: PostgreSql
) -> None:
    plan = Plan(messages=1_200, people=40, per_second=600)

    outcome = await run(tmp_path, postgresql, plan, print)

    assert outcome.is_clean, table(outcome)
    assert outcome.verdict.delivered == plan.total / 2
    assert len(outcome.verdict.stored_by) == plan.nodes, "the dispatcher spreads the senders"
    assert all(outcome.accepted_by)


async def test_what_a_killed_gateway_left_is_answered_by_another(
    tmp_path: Path, postgresql: PostgreSql
) -> None:
    """History commands are carried out, phone commands never: theirs was another phone."""
    async with shared_extension(tmp_path, postgresql) as (behind, agents):
        victim, (anna, bert) = await on_one_node(behind, agents)
        dialled = await anna.ask("bot", "dial 1001")
        assert await anna.send("bot", "dial 1002") == 200
        await eventually(lambda: behind.value(BEGUN))
        assert await anna.send("bot", "history") == 200
        assert await bert.send("bot", "dial 1003") == 200
        await eventually(lambda: behind.value(THREE_UNANSWERED))

        victim.kill_engine()
        await victim.kill()
        await behind.value(END_LEASE, id=node_id(victim))  # which 30 s without it would
        told = [(await anna.next_message(60)).text for _ in range(2)]
        told.append((await bert.next_message(60)).text)
        await victim.start()

        assert dialled.startswith("OK dial 1001")
        assert told[0].startswith("WAIT dial 1002 (interrupted; check the phone)")
        assert told[1].startswith("OK history")
        assert told[2].startswith("ERR dial 1003 (not done: the gateway it was written to")
        assert await anna.silence(2), "the old gateway answers nothing again"
        assert bert.received.empty()
        assert [await phone_state(node) for node in behind.nodes] == ["idle", "idle"]


BEGUN = "SELECT count(*) FROM command WHERE argument = '1002' AND state = 'started'"
THREE_UNANSWERED = "SELECT count(*) = 3 FROM message WHERE unanswered"
END_LEASE = "UPDATE node SET lease_until = clock_timestamp() WHERE id = :id RETURNING id"
WHO_GOT_WHAT = "SELECT node, peer FROM message WHERE direction = 'inbound'"


@asynccontextmanager
async def shared_extension(
    folder: Path, postgresql: PostgreSql
) -> AsyncIterator[tuple[Office, Sequence[SipUserAgent]]]:
    """Two gateways, and three phones that were answered by one or the other."""
    users = ("201", "202", "203")
    async with AsyncExitStack() as stack:
        behind = await stack.enter_async_context(
            office(
                folder, postgresql, nodes=2, users=users, sections=BUSY_PHONE + EVERYBODY_MAY
            )
        )
        agents = [SipUserAgent(user, behind.kamailio.port) for user in users]
        for agent in agents:
            await stack.enter_async_context(agent)
            await agent.register()
            assert (await agent.ask("bot", "ping")).startswith("OK ping")
        yield behind, agents


async def on_one_node(
    behind: Office, agents: Sequence[SipUserAgent]
) -> tuple[GatewayProcess, list[SipUserAgent]]:
    """A gateway with two of those who wrote to it: of three, two meet."""
    rows = await behind.rows(WHO_GOT_WHAT)
    for node in behind.nodes:
        peers = {row.peer for row in rows if row.node == node_id(node)}
        if len(peers) > 1:
            return node, [agent for agent in agents if agent.uri in peers][:2]
    raise AssertionError(rows)


def node_id(gateway: GatewayProcess) -> str:
    return (gateway.data_dir / "node").read_text().strip()


async def phone_state(gateway: GatewayProcess) -> str:
    async with gateway.client() as client:
        return str((await client.phone_status())["state"]["value"])
