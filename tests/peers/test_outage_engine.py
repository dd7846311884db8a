"""A SIP engine that crashes at every start: the rest goes on, and says so."""

import re
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.peers.gateway_process import GatewayProcess, eventually
from tests.peers.sip_ua import SipUserAgent

pytestmark = [pytest.mark.timeout(180)]

BROKEN = "import os\nos._exit(139)\n"
"""Found in place of PJSIP."""
STARTS = re.compile(r"^sip_gateway_engine_starts_total (\d+)", re.MULTILINE)


async def test_an_engine_that_crashes_at_every_start_is_tried_with_back_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "library"
    library.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(library))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    async with (
        GatewayProcess(tmp_path / "gateway") as gateway,
        SipUserAgent("101", gateway.sip_port) as anna,
    ):
        sent = await gateway.send(f"sip:101@{anna.host_port}", "before", wait=10)
        (library / "pjsua2.py").write_text(BROKEN)
        gateway.kill_engine()

        async def crashed_again() -> bool:
            return await starts(gateway) >= 4

        await eventually(crashed_again, 60)
        status, parts = await gateway.readiness()
        alive = await healthz(gateway)
        accepted = await gateway.send(f"sip:101@{anna.host_port}", "meanwhile")
        (library / "pjsua2.py").unlink()

        async def works_again() -> bool:
            return (await gateway.readiness())[0] == 200

        await eventually(works_again, 60)
        texts = [(await anna.next_message(60)).text for _ in range(2)]

    assert sent["status"] == "delivered"
    assert (status, parts["sip_engine"]["ok"], alive) == (503, False, 200)
    assert accepted["status"] == "queued"
    assert texts == ["before", "meanwhile"]
    assert "it is started again" in gateway.log()


async def starts(gateway: GatewayProcess) -> int:
    found = STARTS.search(await gateway.metrics())
    assert found is not None
    return int(found[1])


async def healthz(gateway: GatewayProcess) -> int:
    url = f"http://127.0.0.1:{gateway.http_port}/healthz"
    async with ClientSession() as session, session.get(url) as response:
        return response.status
