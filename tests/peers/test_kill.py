"""Kill -9: what was acknowledged is not lost."""

import asyncio
from pathlib import Path

import pytest

from tests.bench.crash_sweep import Plan, Victim, crash_sweep, table
from tests.peers.gateway_process import LOCAL_ACCOUNT, GatewayProcess, eventually
from tests.peers.sip_ua import SipUserAgent
from tests.peers.sipp import Load, Sipp

pytestmark = [pytest.mark.timeout(180)]

RECORDER = LOCAL_ACCOUNT + 'mode = "record"\n'
"""SIPp takes no messages: a hint to it would hold up every stop."""
LOAD = Load(total=5_000, per_second=500, in_flight=1_000, patience=40)


@pytest.mark.peer("sipp")
@pytest.mark.parametrize("stored_before", [100, 900, 1_800, 2_700, 3_600])
@pytest.mark.parametrize("victim", ["gateway", "engine"])
async def test_what_got_its_200_is_in_the_history_once(
    tmp_path: Path, victim: str, stored_before: int
) -> None:
    async with GatewayProcess(tmp_path, RECORDER) as gateway:
        load = asyncio.create_task(Sipp(tmp_path / "sipp", gateway.sip_port, LOAD).run())

        async def under_load() -> bool:
            return len(gateway.stored()) >= stored_before

        await eventually(under_load)

        if victim == "gateway":
            await gateway.kill()
            await gateway.start()
        else:
            gateway.kill_engine()
        sent = await load

        async def all_stored() -> bool:
            return sent.acknowledged <= gateway.stored().keys()

        await eventually(all_stored, 30)
        print(  # noqa: T201  shown with -s, and when it fails
            f"\n{victim} killed: {len(sent.acknowledged)} acknowledged of {LOAD.total}, "
            f"{sent.retransmissions} retransmissions, {sent.seconds:.1f} s"
        )
        assert sent.acknowledged
        assert {c: n for c, n in gateway.stored().items() if n != 1} == {}


async def test_what_was_accepted_for_delivery_is_delivered(tmp_path: Path) -> None:
    async with (
        GatewayProcess(tmp_path, LOCAL_ACCOUNT) as gateway,
        SipUserAgent("anna", gateway.sip_port) as anna,
    ):
        texts = [f"alert {number}" for number in range(30)]
        for text in texts:
            await gateway.send(f"sip:anna@{anna.host_port}", text)

        await gateway.kill()
        await gateway.start()

        async def all_delivered() -> bool:
            return len(await gateway.history("is:delivered alert")) == len(texts)

        await eventually(all_delivered, 60)
        received = [anna.received.get_nowait().text for _ in range(anna.received.qsize())]
        assert sorted(set(received)) == sorted(texts)


async def test_what_was_on_its_way_is_sent_again_at_the_restart(tmp_path: Path) -> None:
    async with (
        GatewayProcess(tmp_path, LOCAL_ACCOUNT) as gateway,
        SipUserAgent("anna", gateway.sip_port, answer=100) as anna,
    ):
        sent = await gateway.send(f"sip:anna@{anna.host_port}", "disk full")
        first = await anna.next_message()
        await gateway.kill()

        anna.answer = 200
        await gateway.start()

        again = await anna.next_message()

        async def delivered() -> bool:
            return bool((await gateway.message(sent["id"]))["status"] == "delivered")

        await eventually(delivered)
        assert again.text == first.text
        assert (await gateway.message(sent["id"]))["flags"] == ["resent"]


@pytest.mark.peer("sipp")
@pytest.mark.timeout(400)
async def test_a_short_crash_sweep_is_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = Plan(rounds=3, seed=2, inbound_per_second=500, outbound_per_second=100)

    sweep = await crash_sweep(tmp_path, plan, print)

    with capsys.disabled():
        print(f"\n{table(sweep)}")  # noqa: T201  the counts are what the reader wants
    assert {one.victim for one in sweep.rounds} == set(Victim)
    assert sweep.outbound.accepted
    assert sweep.outbound.queued == 0
    assert sweep.is_clean
