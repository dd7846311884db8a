"""SIPp: many messages fast, none lost."""

from pathlib import Path

import pytest

from tests.peers.gateway_process import GatewayProcess, cpu_seconds, eventually
from tests.peers.sipp import Load, Sipp

pytestmark = [pytest.mark.timeout(180), pytest.mark.peer("sipp")]

LOAD = Load(total=20_000, per_second=2_000, in_flight=100, patience=60)


async def test_twenty_thousand_messages_are_all_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with GatewayProcess(tmp_path) as gateway:
        sent = await Sipp(tmp_path / "sipp", gateway.sip_port, LOAD).run()

        async def all_stored() -> bool:
            return len(gateway.stored()) == len(sent.acknowledged)

        await eventually(all_stored, 60)
        engine, whole = cpu_seconds(gateway.engine_pid), cpu_seconds(gateway.pid)
        stored = gateway.stored()

    with capsys.disabled():
        print(  # noqa: T201  the figures are what the reader of the run wants
            f"\nSIPp: {LOAD.total} messages at {LOAD.total / sent.seconds:.0f}/s, "
            f"{sent.retransmissions} retransmissions; CPU: engine {engine:.1f} s, "
            f"gateway {whole:.1f} s"
        )
    assert len(sent.acknowledged) == LOAD.total
    assert set(stored) == sent.acknowledged
    assert max(stored.values()) == 1
