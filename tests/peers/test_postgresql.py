"""The whole gateway on PostgreSQL."""

from pathlib import Path

import pytest

from tests.peers.gateway_process import (
    EVERYBODY_MAY,
    LOCAL_ACCOUNT,
    SIMULATED_PHONE,
    GatewayProcess,
)
from tests.peers.postgresql import PostgreSql
from tests.peers.sip_ua import SipUserAgent

pytestmark = [pytest.mark.timeout(180), pytest.mark.peer("postgresql")]


async def test_chat_and_delivery_survive_a_kill_on_postgresql(
    tmp_path: Path, postgresql: PostgreSql
) -> None:
    database = f'[database]\nurl = "{postgresql.create_database()}"\nauto_upgrade = true\n'
    async with (
        GatewayProcess(
            tmp_path, database, LOCAL_ACCOUNT, SIMULATED_PHONE, EVERYBODY_MAY
        ) as gateway,
        SipUserAgent("101", gateway.sip_port) as anna,
    ):
        answer = await anna.ask(gateway.bot, "dial 1002")
        sent = await gateway.send(f"sip:101@{anna.host_port}", "from REST", wait=10)
        received = await anna.next_message()

        await gateway.kill()
        await gateway.start()

        assert answer.startswith("OK dial 1002")
        assert (sent["status"], received.text) == ("delivered", "from REST")
        texts = {item["text"] for item in await gateway.history()}
        assert {"dial 1002", "from REST"} < texts
        assert (await anna.ask(gateway.bot, "ping")).startswith("OK ping")
