"""The suite that Windows Python runs: MicroSip on ``auto``, with and without a DDE server.

Not collected by itself; ``test_wine_copydata.py`` runs it under Wine.
"""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.clock import now
from gateway.config import Dde, Phone
from gateway.microsip.diagnosis import diagnose
from gateway.phone import CommandOutcome, Problem
from gateway.ports import Channel
from tests.peers.wine_steering import SteeredPeer

assert sys.platform == "win32"

from gateway.microsip.channels import choose_channel  # noqa: E402  the fence comes first
from tests.peers.wine_desktop import (  # noqa: E402
    Handset,
    handset_on,
    loop_kept_running,
    make_store,
    start,
)
from tests.peers.wine_installation import install, started_from  # noqa: E402

pytestmark = pytest.mark.timeout(60)

MODULE = "tests.peers.wine_microsip_window"
CONFIRMED = CommandOutcome.CONFIRMED


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    return install(tmp_path / "Program Files", "3.22.3")


@pytest.fixture
def softphone(installed: Path) -> Iterator[SteeredPeer]:
    """A MicroSIP without DDE."""
    with SteeredPeer(started_from(installed), MODULE) as peer:
        yield peer


def commands(microsip: SteeredPeer) -> list[str]:
    """Without the pings."""
    texts = [report["text"] for report in microsip.reports("copydata")]
    return [text for text in texts if text != "msip:"]


def automatic(path: Path, service: str = "Nobody") -> Phone:
    """Whether a MicroSIP that is missing is started, ``wine_process_suite.py`` tells."""
    return Phone(
        driver="auto",
        executable=str(path),
        start=False,
        dde=Dde(service=service),
        calls_per_hour=1000,
    )


@asynccontextmanager
async def handset(phone: Phone, data_dir: Path) -> AsyncIterator[tuple[Handset, Channel]]:
    await make_store(data_dir)
    async with (
        choose_channel(phone, demo=False, clock=now) as channel,
        handset_on(channel, phone, data_dir) as made,
    ):
        yield made, channel


async def test_without_a_dde_server_auto_takes_the_window(
    softphone: SteeredPeer, installed: Path, tmp_path: Path
) -> None:
    phone = automatic(installed)
    async with handset(phone, tmp_path) as (microsip, channel):
        result = await microsip.does("dial 1002")
        said = await diagnose(phone, clock=now)

    assert commands(softphone) == ["1002"]
    assert (channel.name, result.channel) == ("copydata", "copydata")
    assert (result.outcome, result.evidence) == (CONFIRMED, "idle -> dialing, 1002")
    assert any("no DDE server answers" in line and grade == "ok" for grade, line in said)
    assert any("version 3.22.3" in line for _, line in said)


async def test_where_a_dde_server_answers_auto_takes_it(
    softphone: SteeredPeer, installed: Path, tmp_path: Path
) -> None:
    with SteeredPeer(start, "tests.peers.dde_microsip", "--service", "Auto") as server:
        phone = automatic(installed, "Auto")
        async with handset(phone, tmp_path) as (microsip, channel):
            by_dde = await microsip.does("dial 1002")
            name = channel.name
            server.order_only("die")
            server.ended()
            by_window_then = await microsip.does("dial 1003")

    assert (name, by_dde.outcome) == ("dde", CommandOutcome.CONFIRMED)
    assert by_window_then.problem is Problem.NONE
    assert channel.name == "copydata"
    assert commands(softphone) == ["1003"]


async def test_a_hung_window_elsewhere_does_not_keep_auto_from_microsip(
    softphone: SteeredPeer, installed: Path, tmp_path: Path
) -> None:
    phone = automatic(installed)
    with SteeredPeer(start, "tests.peers.frozen_window"):
        async with handset(phone, tmp_path) as (microsip, _), loop_kept_running(0.5):
            result = await microsip.does("dial 1002")

    assert commands(softphone) == ["1002"]
    assert (result.outcome, result.problem) == (CONFIRMED, Problem.NONE)


async def test_close_is_confirmed_by_the_window_that_is_gone(
    softphone: SteeredPeer, installed: Path, tmp_path: Path
) -> None:
    async with handset(automatic(installed), tmp_path) as (microsip, _):
        result = await microsip.does("close")
        after = await microsip.does("dial 1002")
    exit_code = softphone.ended()

    assert exit_code == 0
    assert (result.outcome, result.evidence) == (CommandOutcome.CONFIRMED, "MicroSIP is gone")
    assert (after.outcome, after.problem) == (CommandOutcome.FAILED, Problem.NOT_RUNNING)


async def test_without_microsip_auto_says_what_to_do(installed: Path, tmp_path: Path) -> None:
    phone = automatic(installed)
    async with handset(phone, tmp_path) as (microsip, _):
        result = await microsip.does("dial 1002")
        said = await diagnose(phone, clock=now)

    assert (result.outcome, result.problem) == (CommandOutcome.FAILED, Problem.NOT_RUNNING)
    assert f"start {installed}" in result.detail
    assert any("neither a DDE server nor its window" in line for _, line in said)
