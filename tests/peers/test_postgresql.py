"""The whole gateway on PostgreSQL."""

import shutil
from pathlib import Path

import pytest

from gateway.bench.ports import free_port
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


def of(account: str) -> str:
    return LOCAL_ACCOUNT.replace("bot", account)


async def test_what_waits_for_another_gateway_is_left_to_it_and_told(
    tmp_path: Path, postgresql: PostgreSql
) -> None:
    database = f'[database]\nurl = "{postgresql.create_database()}"\nauto_upgrade = true\n'
    async with GatewayProcess(tmp_path / "sales", database, of("sales")) as sales:
        sent = await sales.send(f"sip:101@127.0.0.1:{free_port()}", "hello")  # nobody is there

    async with GatewayProcess(tmp_path / "support", database, of("support")) as support:
        [shared] = await support.history()
        waits = "the account sales is not of this gateway, deliveries that wait for it: 1"

        assert waits in support.log()
        assert shared["id"] == sent["id"]
        assert shared["status"] in {"queued", "sending", "retrying", "waiting"}


async def test_a_copy_of_a_data_folder_does_not_start_beside_the_original(
    tmp_path: Path, postgresql: PostgreSql
) -> None:
    database = f'[database]\nurl = "{postgresql.create_database()}"\nauto_upgrade = true\n'
    copy = GatewayProcess(tmp_path / "copy", database, LOCAL_ACCOUNT)
    async with GatewayProcess(tmp_path / "original", database, LOCAL_ACCOUNT) as original:
        shutil.copytree(original.data_dir, copy.data_dir)

        refused = await copy.run_to_end()
        (copy.data_dir / "node").unlink()
        async with copy:
            history = await copy.history()

    assert refused.exit_code == 1
    assert "delete the file node" in refused.output
    assert history == []
