"""The disk is full: nothing more is acknowledged, nothing acknowledged is lost."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.gateway_process import LOCAL_ACCOUNT, GatewayProcess, eventually
from tests.peers.sip_ua import SipUserAgent
from tests.peers.sipp import Load, Sipp

pytestmark = [pytest.mark.timeout(180), pytest.mark.peer("netns", "sipp")]

RECORDER = LOCAL_ACCOUNT + 'mode = "record"\n'
LOAD = Load(total=4_000, per_second=400, in_flight=500, patience=25)
MEGABYTE = 1_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 12 MB, a disk of its own."""
    folder = tmp_path / "gateway" / "data"
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path, *, but: int) -> Path:
    """Take the room on that *disk*, *but* so many bytes."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        file.write(bytes(shutil.disk_usage(disk).free - but))
    return filler


async def test_a_full_disk_acknowledges_nothing_and_loses_nothing(
    tmp_path: Path, small_disk: Path
) -> None:
    async with (
        GatewayProcess(tmp_path / "gateway", RECORDER) as gateway,
        SipUserAgent("101", gateway.sip_port) as anna,
    ):
        assert await anna.send(gateway.bot, "there is room") == 200
        filler = fill(small_disk, but=MEGABYTE)

        sent = await Sipp(tmp_path / "sipp", gateway.sip_port, LOAD).run()

        assert 0 < len(sent.acknowledged) < LOAD.total
        assert (await gateway.readiness())[0] == 503
        filler.unlink()

        async def all_stored() -> bool:
            return sent.acknowledged <= gateway.stored().keys()

        await eventually(all_stored, 60)

        async def taken_again() -> bool:
            return await anna.send(gateway.bot, "there is room again") == 200

        await eventually(taken_again, 90)
        assert {c: n for c, n in gateway.stored().items() if n != 1} == {}
