"""Whoever floods the gateway is counted, not stored, and everybody else is served."""

import asyncio
import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.bench.flood import FLOODER, Flood, office, pings
from tests.peers.gateway_process import GatewayProcess, eventually

pytestmark = [pytest.mark.timeout(180), pytest.mark.peer("kamailio")]

PER_SECOND, BURST = 5, 50
LIMITS = f'[limits]\nuntrusted_source = "{PER_SECOND}/{BURST}"\n'
TOTAL = 1500
EACH = 8
OTHER = "127.0.0.3"


def stored_of(gateway: GatewayProcess) -> Counter[str]:
    """How many messages of each source address the store has."""
    store = f"file:{gateway.data_dir / 'gateway.db'}?mode=ro"
    with closing(sqlite3.connect(store, uri=True)) as connection:
        rows = connection.execute("SELECT source FROM message WHERE direction = 'inbound'")
        return Counter(source.split(":")[1] for (source,) in rows)


async def dropped(gateway: GatewayProcess) -> int:
    """What the metrics say was counted and not stored."""
    pattern = r'sip_gateway_inbound_messages_total\{status="dropped"\} (\d+)'
    found = re.search(pattern, await gateway.metrics())
    return int(found[1]) if found else 0


async def test_a_flood_from_one_address_keeps_nobody_from_being_served(tmp_path: Path) -> None:
    async with (
        office(tmp_path / "gateway", 6, LIMITS) as (gateway, agents),
        Flood(gateway.sip_port, per_second=500) as flood,
        Flood(gateway.sip_port, per_second=50, address=OTHER) as stranger,
    ):
        flooding = asyncio.create_task(flood.run(TOTAL))
        await stranger.run(BURST // 2)
        told = await asyncio.gather(*(pings(agent, EACH) for agent in agents))
        await flooding

        async def all_counted() -> bool:
            seen = sum(stored_of(gateway).values()) + await dropped(gateway)
            return seen == flood.acknowledged + stranger.acknowledged + EACH * len(agents)

        await eventually(all_counted)
        expected = [f"OK ping {number} (pong)" for number in range(EACH)]
        assert [[answer.text.partition(" #")[0] for answer in one] for one in told] == [
            expected
        ] * len(agents)
        stored = stored_of(gateway)
        assert stored["127.0.0.1"] == EACH * len(agents)
        assert stored[OTHER] == stranger.acknowledged
        assert BURST <= stored[FLOODER] < flood.acknowledged
        assert await dropped(gateway) == flood.acknowledged - stored[FLOODER]


async def test_a_flood_of_a_proven_sender_is_stored_to_the_last(tmp_path: Path) -> None:
    """Answered within the limits, and in nobody's way."""
    async with office(tmp_path / "gateway", 3, LIMITS) as (gateway, (chatty, *others)):
        flooding = asyncio.gather(*(chatty.send("bot", f"ping {n}") for n in range(200)))
        told = await asyncio.gather(*(pings(agent, EACH) for agent in others))
        codes = await flooding

        assert set(codes) == {200}
        assert [len(answers) for answers in told] == [EACH] * len(others)

        async def all_stored() -> list[dict[str, Any]]:
            items = await gateway.history(f"from:{chatty.uri}")
            return items if len(items) >= len(codes) else []

        items = await eventually(all_stored)
        assert Counter(item["text"] for item in items) == Counter(
            f"ping {n}" for n in range(200)
        )
        assert {item["status"] for item in items} == {"received"}
