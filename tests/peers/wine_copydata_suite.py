"""The suite that Windows Python runs: MicroSIP by WM_COPYDATA, against its like.

Not collected by itself; ``test_wine_copydata.py`` runs it under Wine.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.errors import PhoneError
from gateway.phone import PhoneCommand, Problem, Verb, parse_command
from gateway.ports import Channel
from tests.peers.wine_steering import SteeredPeer

assert sys.platform == "win32"

from gateway.microsip.copydata import CopyDataChannel  # noqa: E402  the fence comes first
from gateway.microsip.window import UserDesktop  # noqa: E402
from tests.peers.wine_desktop import loop_kept_running  # noqa: E402
from tests.peers.wine_installation import install, started_from  # noqa: E402

pytestmark = pytest.mark.timeout(60)

Record = Callable[[str, object], None]

MODULE = "tests.peers.wine_microsip_window"
VERSIONS = ("3.20.5", "3.21.4", "3.22.3")
PATIENCE = 1.0
DIAL = PhoneCommand(Verb.DIAL, ("1002",))

DOWN, UP, MIC_UP = ["msip:speakdown"], ["msip:speakup"], ["msip:micup"]
CASES: list[tuple[str, list[str], str]] = [
    ("dial 1002", ["1002"], "dialled 1002"),
    ("dial sip:1002@office.example", ["1002@office.example"], "dialled 1002@office.example"),
    ("callto 1002", ["callto:1002"], "dialled 1002"),
    ("hangup", ["/hangupall"], "hung up"),
    ("answer", ["/answer"], "answered"),
    ("hold", ["msip:hold"], "toggled hold"),
    ("transfer 1003", ["/transfer:1003"], "transferred to 1003"),
    ("dtmf 12,3#", ["/dtmf:12", "/dtmf:3#"], "played 3#"),
    ("volup 3", ["msip:speakup"] * 3, "speak 68"),
    ("voldown 3", ["msip:speakdown"] * 3, "speak 38"),
    ("volume 40", DOWN * 11 + UP * 8, "speak 40"),
    ("volume 43", DOWN * 2, "speak 43"),
    ("micvolume 100", MIC_UP * 10, "mic 100"),
    ("status", ["msip:"], "nothing"),
]
BY_VERSION = [
    ("3.20.5", "mute", ["msip:micmute"], "toggled mute"),
    ("3.21.4", "mute", ["msip:micmute"], "set mute"),
    ("3.22.3", "mute", ["msip:micmute"], "set mute"),
    ("3.21.4", "reject", ["/hangupincoming"], "rejected"),
    ("3.22.3", "reject", ["/hangupincoming"], "rejected"),
]


def command(line: str) -> PhoneCommand:
    word, *arguments = line.split()
    return parse_command(Verb(word), tuple(arguments))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("Program Files")


@pytest.fixture(scope="module")
def microsips(folder: Path) -> Iterator[dict[str, SteeredPeer]]:
    """One of each version, all running at once, in folders of their own."""
    peers = {}
    try:
        for version in VERSIONS:
            start_it = started_from(install(folder / version, version))
            peer = SteeredPeer(start_it, MODULE, "--version", version)
            peers[version] = peer.__enter__()
        yield peers
    finally:
        for peer in peers.values():
            peer.__exit__()


@pytest.fixture
def latest(microsips: dict[str, SteeredPeer]) -> Iterator[SteeredPeer]:
    """The newest, with no order left of the test before."""
    yield cleared(microsips["3.22.3"])
    microsips["3.22.3"].order("release")


def cleared(microsip: SteeredPeer) -> SteeredPeer:
    microsip.order("reset")
    microsip.reports("copydata")
    return microsip


def executable(folder: Path, version: str = "3.22.3") -> str:
    return str(folder / version / "microsip.exe")


@asynccontextmanager
async def by_window(path: str = "") -> AsyncIterator[CopyDataChannel]:
    async with CopyDataChannel(
        desktop=UserDesktop(), executable=path, sleep=asyncio.sleep, patience=PATIENCE
    ) as channel:
        yield channel


def strings(microsip: SteeredPeer) -> list[str]:
    return [report["text"] for report in microsip.reports("copydata")]


def commands(microsip: SteeredPeer) -> list[str]:
    """Without the pings."""
    return [text for text in strings(microsip) if text != "msip:"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("line", "sent", "effect"), CASES, ids=[case[0] for case in CASES])
async def test_each_verb_has_the_same_effect_on_every_version(
    line: str,
    sent: list[str],
    effect: str,
    version: str,
    microsips: dict[str, SteeredPeer],
    folder: Path,
    record_property: Record,
) -> None:
    await _check(line, sent, effect, microsips[version], executable(folder, version))
    record_property("row", json.dumps([version, line, sent[-1], len(sent), effect]))


@pytest.mark.parametrize(("version", "line", "sent", "effect"), BY_VERSION, ids=str)
async def test_a_verb_has_its_string_for_each_version(
    version: str,
    line: str,
    sent: list[str],
    effect: str,
    microsips: dict[str, SteeredPeer],
    folder: Path,
    record_property: Record,
) -> None:
    await _check(line, sent, effect, microsips[version], executable(folder, version))
    record_property("row", json.dumps([version, line, sent[-1], len(sent), effect]))


async def _check(
    line: str, sent: list[str], effect: str, microsip: SteeredPeer, path: str
) -> None:
    cleared(microsip)

    async with by_window(path) as channel:
        await channel.execute(command(line))

    reports = microsip.reports("copydata")
    assert [report["text"] for report in reports] == sent
    assert reports[-1]["effect"] == effect
    for report in reports:  # with its NUL, and no byte more
        assert bytes.fromhex(report["raw"]) == f"{report['text']}\0".encode("utf-16-le")


@pytest.mark.parametrize(
    ("version", "line"), [("3.20.5", "reject"), ("3.22.3", "device input 3")]
)
async def test_what_it_cannot_do_is_not_sent(
    version: str, line: str, microsips: dict[str, SteeredPeer], folder: Path
) -> None:
    microsip = cleared(microsips[version])

    async with by_window(executable(folder, version)) as channel:
        with pytest.raises(PhoneError) as refused:
            await channel.execute(command(line))

    assert refused.value.problem == Problem.FAILED
    assert strings(microsip) == []


async def test_a_comma_parts_the_digits(latest: SteeredPeer, folder: Path) -> None:
    async with by_window(executable(folder)) as channel:
        await channel.execute(command("dtmf 1,2"))

    assert strings(latest) == ["/dtmf:1", "/dtmf:2"]


async def test_a_microsip_that_is_still_starting_drops_commands(
    latest: SteeredPeer, folder: Path
) -> None:
    latest.order("stack", up=False)

    async with by_window(executable(folder)) as channel:
        with pytest.raises(PhoneError) as of_status:
            await channel.status()
        with pytest.raises(PhoneError) as of_command:
            await channel.execute(DIAL)
        latest.order("stack", up=True)
        await channel.execute(DIAL)

    assert of_status.value.problem == of_command.value.problem == Problem.FAILED
    assert "still starting" in of_command.value.detail
    assert strings(latest) == ["1002"]


async def test_a_stack_that_goes_down_half_way_leaves_it_open(
    latest: SteeredPeer, folder: Path
) -> None:
    latest.order("drop_after", strings=5)

    async with by_window(executable(folder)) as channel:
        with pytest.raises(PhoneError) as partly:
            await channel.execute(command("volume 40"))

    assert partly.value.problem == Problem.NOT_RESPONDING
    assert len(strings(latest)) == 5


async def test_a_hanging_microsip_holds_up_nothing_and_is_asked_once(
    latest: SteeredPeer, folder: Path
) -> None:
    latest.order("hang")

    async with by_window(executable(folder)) as channel, loop_kept_running(0.5):
        began = time.monotonic()
        with pytest.raises(PhoneError) as hanging:
            await channel.execute(DIAL)
        gave_up = time.monotonic()
        with pytest.raises(PhoneError) as again:
            await channel.execute(PhoneCommand(Verb.DIAL, ("1003",)))
        refused = time.monotonic()
        latest.order("release")
        await _answering(channel)
        await channel.execute(PhoneCommand(Verb.DIAL, ("1004",)))

    assert hanging.value.problem == again.value.problem == Problem.NOT_RESPONDING
    assert "nothing was sent" in again.value.detail
    assert gave_up - began < PATIENCE + 1
    assert refused - gave_up < 0.5
    assert commands(latest) == ["1002", "1004"]


async def _answering(channel: Channel) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await channel.status()
            except PhoneError:
                await asyncio.sleep(0.05)
            else:
                return


async def test_several_are_refused_until_one_is_configured(
    microsips: dict[str, SteeredPeer], folder: Path
) -> None:
    for microsip in microsips.values():
        cleared(microsip)

    async with by_window() as channel:
        with pytest.raises(PhoneError) as refused:
            await channel.execute(DIAL)

    assert refused.value.problem == Problem.FAILED
    assert "[phone] executable" in refused.value.detail
    for version, microsip in microsips.items():
        assert executable(folder, version).lower() in refused.value.detail.lower()
        assert strings(microsip) == []


async def test_another_than_the_configured_one_is_not_driven(
    microsips: dict[str, SteeredPeer], folder: Path
) -> None:
    for microsip in microsips.values():
        cleared(microsip)

    async with by_window(executable(folder, "3.19.0")) as channel:
        with pytest.raises(PhoneError) as refused:
            await channel.execute(DIAL)

    assert refused.value.problem == Problem.NOT_RUNNING
    assert [strings(microsip) for microsip in microsips.values()] == [[], [], []]


def test_the_version_is_read_from_the_resource_or_from_the_settings(
    folder: Path, microsips: dict[str, SteeredPeer]
) -> None:
    plain = install(folder / "plain")
    desktop = UserDesktop()
    with SteeredPeer(started_from(plain), MODULE):
        (running,) = [i for i in desktop.instances() if "plain" in i.executable]
        untold = desktop.version(running)
        plain.with_suffix(".ini").write_text("[Settings]\r\nversion=3.21.4\r\n", "utf-16")
        noted = desktop.version(running)
    found = {str(desktop.version(instance)) for instance in desktop.instances()}

    assert untold is None
    assert str(noted) == "3.21.4"
    assert found == set(VERSIONS)


async def test_what_dies_over_a_command_may_have_done_it(folder: Path) -> None:
    mortal = install(folder / "mortal", "3.22.3")
    with SteeredPeer(started_from(mortal), MODULE) as microsip:
        microsip.order("die_at_next")
        async with by_window(str(mortal)) as channel:
            with pytest.raises(PhoneError) as died:
                await channel.execute(DIAL)
            with pytest.raises(PhoneError) as gone:
                await channel.status()
        exit_code = microsip.ended()

    assert exit_code == 9
    assert died.value.problem == Problem.NOT_RESPONDING
    assert "look at the phone" in died.value.detail
    assert gone.value.problem == Problem.NOT_RUNNING


async def test_a_microsip_that_was_started_again_is_found_again(folder: Path) -> None:
    mortal = install(folder / "again", "3.22.3")
    async with by_window(str(mortal)) as channel:
        with SteeredPeer(started_from(mortal), MODULE) as first:
            await channel.execute(DIAL)
            first.order_only("die")
            first.ended()
            with pytest.raises(PhoneError) as gone:
                await channel.execute(DIAL)
        with SteeredPeer(started_from(mortal), MODULE) as second:
            await channel.execute(DIAL)
            received = strings(second)

    assert gone.value.problem == Problem.NOT_RUNNING
    assert received == ["1002"]
