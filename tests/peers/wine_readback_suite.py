"""The suite that Windows Python runs: what MicroSIP's windows tell, against its like.

Not collected by itself; ``test_wine_readback.py`` runs it under Wine.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from gateway.phone import CommandOutcome, CommandResult, Problem
from gateway.phone_status import PhoneState, PhoneStatus
from tests.peers.wine_steering import SteeredPeer

assert sys.platform == "win32"

from gateway.microsip.copydata import CopyDataChannel  # noqa: E402  the fence comes first
from gateway.microsip.window import UserDesktop  # noqa: E402
from tests.peers.wine_desktop import UNHURRIED, Handset, handset_on, make_store  # noqa: E402
from tests.peers.wine_installation import install, started_from  # noqa: E402

pytestmark = pytest.mark.timeout(90)

Record = Callable[[str, object], None]

MODULE = "tests.peers.wine_microsip_window"
VERSIONS = ("3.20.5", "3.21.4", "3.22.3")
CONFIRMED, UNCONFIRMED, FAILED = (
    CommandOutcome.CONFIRMED,
    CommandOutcome.UNCONFIRMED,
    CommandOutcome.FAILED,
)
PATIENCE = 3.0
ROUNDS = 8
CALL = [
    ("dial 1002", "far_side_answers", "idle -> dialing, 1002"),
    ("hold", "", "active -> held"),
    ("hold", "", "held -> active"),
    ("mute", "", "microphone muted"),
    ("mute", "", "microphone no longer muted"),
    ("volume 40", "", "53 -> 40"),
    ("volup 2", "", "40 -> 50"),
    ("voldown 1", "", "50 -> 45"),
    ("micvolume 75", "", "50 -> 75"),
    ("hangup", "", "active -> idle"),
]
"""Each with what then happens, and with what shows it."""


@pytest.fixture(scope="module", params=VERSIONS)
def microsip(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SteeredPeer, Path, str]]:
    executable = install(tmp_path_factory.mktemp("MicroSIP"), request.param)
    with SteeredPeer(started_from(executable), MODULE, "--version", request.param) as peer:
        yield peer, executable, request.param


@pytest.fixture
def version(microsip: tuple[SteeredPeer, Path, str]) -> str:
    return microsip[2]


@pytest.fixture
def peer(microsip: tuple[SteeredPeer, Path, str]) -> SteeredPeer:
    """With no call, no order left of the test before."""
    microsip[0].order("release")
    microsip[0].order("reset")
    microsip[0].reports("copydata")
    return microsip[0]


@pytest.fixture
async def handset(
    peer: SteeredPeer, microsip: tuple[SteeredPeer, Path, str], tmp_path: Path
) -> AsyncIterator[Handset]:
    await make_store(tmp_path)
    window = CopyDataChannel(
        desktop=UserDesktop(),
        executable=str(microsip[1]),
        sleep=asyncio.sleep,
        patience=PATIENCE,
    )
    async with window as channel, handset_on(channel, UNHURRIED, tmp_path) as made:
        yield made


def strings(peer: SteeredPeer) -> list[str]:
    """Without the pings."""
    texts = [report["text"] for report in peer.reports("copydata")]
    return [text for text in texts if text != "msip:"]


async def test_an_idle_phone_shows_its_levels(handset: Handset) -> None:
    status = await handset.control.status()

    assert (status.state, status.source) == (PhoneState.IDLE, "window")
    assert (_value(status, "muted"), _value(status, "volume")) == (False, 53)
    assert _value(status, "mic_volume") == 50


def _value(status: PhoneStatus, fact: str) -> object:
    seen = getattr(status, fact)
    return seen and seen.value


async def test_a_call_is_followed_through_all_its_states(
    handset: Handset, peer: SteeredPeer, version: str, record_property: Record
) -> None:
    for _ in range(ROUNDS):
        peer.order("reset")
        for line, then, evidence in CALL:
            result = await handset.does(line)
            assert (result.outcome, result.evidence) == (CONFIRMED, evidence), result
            record_property("row", json.dumps([version, line, evidence, result.elapsed_ms]))
            if then:
                peer.order(then)


async def test_a_ringing_call_is_named_then_answered(
    handset: Handset, peer: SteeredPeer, version: str, record_property: Record
) -> None:
    for _ in range(ROUNDS):
        peer.order("reset")
        peer.order("ring", user="555")
        ringing = await handset.control.status()
        answered = await handset.does("answer")
        transferred = await handset.does("transfer 1003")

        assert (ringing.state, _value(ringing, "peer")) == (PhoneState.RINGING, "555")
        for result, evidence in (
            (answered, "ringing -> active"),
            (transferred, "active -> idle"),
        ):
            assert (result.outcome, result.evidence) == (CONFIRMED, evidence), result
            line = str(result.command)
            record_property("row", json.dumps([version, line, evidence, result.elapsed_ms]))


async def test_a_ringing_call_is_rejected_where_the_version_can(
    handset: Handset, peer: SteeredPeer, version: str, record_property: Record
) -> None:
    peer.order("ring", user="555")

    result = await handset.does("reject")

    if version == "3.20.5":
        assert (result.outcome, result.problem) == (FAILED, Problem.FAILED)
        assert strings(peer) == []
        return
    assert (result.outcome, result.evidence) == (CONFIRMED, "ringing -> idle")
    row = [version, "reject", result.evidence, result.elapsed_ms]
    record_property("row", json.dumps(row))


async def test_what_the_windows_forbid_is_not_sent(handset: Handset, peer: SteeredPeer) -> None:
    refused = [await handset.does(line) for line in ("hangup", "hold", "answer", "dtmf 1")]
    peer.order("ring", user="555")
    refused += [await handset.does(line) for line in ("hangup", "transfer 1003")]

    assert {result.problem for result in refused} == {Problem.NO_CALL}
    assert strings(peer) == []


async def test_a_second_call_is_not_dialled_where_one_is_taken(
    handset: Handset, peer: SteeredPeer
) -> None:
    await handset.does("dial 1002")

    result = await handset.does("dial 1003")

    assert result.problem is Problem.NO_CALL
    assert "one call at a time" in result.detail
    assert strings(peer) == ["1002"]


async def test_tones_are_never_called_heard(handset: Handset, peer: SteeredPeer) -> None:
    await handset.does("dial 1002")
    peer.order("far_side_answers")

    result = await handset.does("dtmf 12")

    assert (result.outcome, result.problem) == (UNCONFIRMED, Problem.NONE)


async def test_a_number_that_is_kept_for_later_is_a_warning(
    handset: Handset, peer: SteeredPeer
) -> None:
    peer.order("conditions", registered=False)

    result = await handset.does("dial 1002")
    peer.order("register")

    assert result.outcome is UNCONFIRMED
    assert "will dial it when it is" in result.detail
    assert _value(await _dialing(handset), "peer") == "1002"


async def _dialing(handset: Handset) -> PhoneStatus:
    async with asyncio.timeout(5):
        while True:
            status = await handset.control.status()
            if status.state is PhoneState.DIALING:
                return status
            await asyncio.sleep(0.05)


async def test_an_effect_that_comes_late_is_waited_for(
    handset: Handset, peer: SteeredPeer
) -> None:
    await handset.does("dial 1002")
    peer.order("far_side_answers")
    peer.order("conditions", takes_effect_after=0.4)

    result = await handset.does("hold")

    assert (result.outcome, result.evidence) == (CONFIRMED, "active -> held")
    assert result.elapsed_ms >= 300


async def test_a_call_that_somebody_else_makes_is_not_taken_for_ours(
    handset: Handset, peer: SteeredPeer
) -> None:
    peer.order("conditions", registered=False)
    running = asyncio.create_task(handset.does("dial 1002"), name="dial")
    await asyncio.to_thread(_until_received, peer, "1002")
    peer.order("conditions", registered=True)
    peer.order("human", text="1009")
    result = await running

    assert result.outcome is UNCONFIRMED
    assert "1002" not in result.evidence


def _until_received(peer: SteeredPeer, text: str) -> None:
    while peer.wait_for("copydata")["text"] != text:
        pass


async def test_a_microsip_that_waits_for_a_program_leaves_it_open(
    handset: Handset, peer: SteeredPeer
) -> None:
    peer.order("hang")
    result: CommandResult = await handset.does("dial 1002")
    meanwhile = await handset.does("dial 1003")
    peer.order("release")

    # It took the number, then answered nobody.
    assert (result.outcome, result.problem) in (
        (UNCONFIRMED, Problem.NOT_RESPONDING),
        (FAILED, Problem.NOT_RESPONDING),
    )
    assert meanwhile.problem is Problem.NOT_RESPONDING
    assert "nothing was sent" in meanwhile.detail
    assert "1003" not in strings(peer)
