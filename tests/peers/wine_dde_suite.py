"""The suite that Windows Python runs: MicroSip by DDE against servers on its desktop.

Not collected by itself; ``test_wine_dde.py`` runs it under Wine.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.config import Dde
from gateway.phone import CommandOutcome, CommandResult, Problem
from gateway.phone_status import PhoneState
from tests.peers.wine_steering import SteeredPeer
from tests.peers.wine_verbs import CASES, Case

assert sys.platform == "win32"

from tests.peers.wine_desktop import (  # noqa: E402  the fence comes first
    handset,
    loop_kept_running,
    make_store,
    start,
    until,
)

pytestmark = pytest.mark.timeout(60)

CONFIRMED, UNCONFIRMED = CommandOutcome.CONFIRMED, CommandOutcome.UNCONFIRMED
FAILED = CommandOutcome.FAILED
SERVICE, INDEPENDENT = "MicroSIP", "PyWin32"
TIMEOUT = 1.0
NOT_REPORTED = "sent; MicroSIP does not report it"

Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    asyncio.run(make_store(folder))
    return folder


@pytest.fixture(scope="module")
def desk() -> Iterator[SteeredPeer]:
    with SteeredPeer(start, "tests.peers.dde_microsip", "--service", SERVICE) as peer:
        yield peer


@pytest.fixture
def microsip(desk: SteeredPeer) -> Iterator[SteeredPeer]:
    """Our own server, idle, with no order left of the test before."""
    desk.order("reset")
    desk.reports("execute")
    yield desk
    desk.order("release")


@pytest.fixture(scope="module")
def pywin32(pytestconfig: pytest.Config) -> Iterator[SteeredPeer]:
    folder = str(Path(sys.prefix) / "pywin32")
    options = ("--service", INDEPENDENT, "--pywin32", folder)
    with SteeredPeer(start, "tests.peers.dde_pywin32", *options) as peer:
        yield peer


def dde(service: str = SERVICE, **settings: Any) -> Dde:
    return Dde.model_validate(
        {"service": service, "timeout": timedelta(seconds=TIMEOUT), **settings}
    )


def row(
    record: Record, server: str, line: str, strings: list[str], result: CommandResult
) -> None:
    """A row of the table of verbs that ``test_wine_dde.py`` prints."""
    seen = result.evidence or result.detail
    record("row", json.dumps([server, line, *strings, result.outcome.value, seen]))


def received(peer: SteeredPeer) -> list[str]:
    return [report["text"] for report in peer.reports("execute")]


@pytest.mark.parametrize("syntax", ["plain", "bracket"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.line} when {case.before}")
async def test_each_verb_arrives_as_documented(
    case: Case, syntax: str, microsip: SteeredPeer, store: Path, record_property: Record
) -> None:
    state, _, number = case.before.partition(" ")
    microsip.order("reset", state=state, number=number)

    async with handset(store, dde(syntax=syntax)) as phone:
        result = await phone.does(case.line)

    strings = received(microsip)
    row(record_property, "own", case.line, strings, result)
    assert strings == [case.phrase(syntax)]
    assert (result.outcome, result.problem) == (case.outcome, Problem.NONE)
    assert result.evidence == case.evidence
    if case.outcome is UNCONFIRMED:
        assert result.detail == NOT_REPORTED


@pytest.mark.parametrize("syntax", ["plain", "bracket"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.line} when {case.before}")
async def test_somebody_elses_server_receives_the_same(
    case: Case, syntax: str, pywin32: SteeredPeer, store: Path, record_property: Record
) -> None:
    pywin32.order("says", now=case.before, after=case.after)

    async with handset(store, dde(INDEPENDENT, syntax=syntax)) as phone:
        result = await phone.does(case.line)

    strings = received(pywin32)
    row(record_property, "pywin32", case.line, strings, result)
    assert strings == [case.phrase(syntax)]
    assert (result.outcome, result.evidence) == (case.outcome, case.evidence)


@pytest.mark.parametrize("syntax", ["plain", "bracket"])
async def test_close_ends_microsip(syntax: str, store: Path, record_property: Record) -> None:
    closing = ("--service", "Closing")
    with SteeredPeer(start, "tests.peers.dde_microsip", *closing) as microsip:
        async with handset(store, dde("Closing", syntax=syntax)) as phone:
            result = await phone.does("close")
        text = microsip.wait_for("execute")["text"]
        exit_code = microsip.ended()

    row(record_property, "own", "close", [text], result)
    assert text == ("Close" if syntax == "plain" else "[Close]")
    assert exit_code == 0
    assert (result.outcome, result.evidence) == (CONFIRMED, "MicroSIP is gone")


async def test_somebody_elses_server_that_is_told_to_close_stays(
    pywin32: SteeredPeer, store: Path, record_property: Record
) -> None:
    pywin32.order("says", now="idle", after="idle")

    async with handset(store, dde(INDEPENDENT)) as phone:
        result = await phone.does("close")

    strings = received(pywin32)
    row(record_property, "pywin32", "close", strings, result)
    assert strings == ["Close"]
    assert (result.outcome, result.problem) == (UNCONFIRMED, Problem.NONE)


@pytest.mark.parametrize(
    ("server", "service"), [("own", SERVICE), ("pywin32", INDEPENDENT)], ids=["own", "pywin32"]
)
async def test_status_is_requested_not_executed(
    server: str,
    service: str,
    request: pytest.FixtureRequest,
    store: Path,
    record_property: Record,
) -> None:
    peer: SteeredPeer = request.getfixturevalue("microsip" if server == "own" else "pywin32")
    if server == "own":
        peer.order("reset", state="held", number="1001")
    else:
        peer.order("says", now="held 1001", after="held 1001")

    async with handset(store, dde(service)) as phone:
        result = await phone.does("status")

    items = [report["item"] for report in peer.reports("request")]
    row(record_property, server, "status", [f"XTYP_REQUEST {item}" for item in items], result)
    assert items == ["Status"]
    assert result.status is not None
    assert (result.status.state, result.status.raw) == (PhoneState.HELD, "held 1001")


@pytest.mark.parametrize(
    ("wording", "settings", "state"),
    [
        ("In call with 1002", {}, PhoneState.ACTIVE),
        ("CALLING 1002...", {}, PhoneState.DIALING),
        ("Im Gespräch", {"status_words": {"active": ["gespräch"]}}, PhoneState.ACTIVE),
        ("Line 1: ???", {}, PhoneState.UNKNOWN),
        ("", {}, PhoneState.UNKNOWN),
    ],
    ids=["in call", "capitals", "own words", "no known word", "empty"],
)
@pytest.mark.parametrize("ansi", [False, True], ids=["CF_UNICODETEXT", "CF_TEXT"])
async def test_status_is_read_in_any_wording(
    wording: str,
    settings: dict[str, Any],
    state: PhoneState,
    ansi: bool,  # noqa: FBT001  a parameter of the test
    microsip: SteeredPeer,
    store: Path,
) -> None:
    microsip.order("reset", wording={"idle": wording}, ansi=ansi)

    async with handset(store, dde(**settings)) as phone:
        status = await phone.control.status()

    assert (status.state, status.raw) == (state, wording)


async def test_without_status_a_command_stays_unconfirmed(
    microsip: SteeredPeer, store: Path
) -> None:
    microsip.order("reset", silent=True)

    async with handset(store, dde()) as phone:
        result = await phone.does("dial 1002")
        status = await phone.control.status()

    assert received(microsip) == ["Dial 1002"]
    assert (result.outcome, result.problem) == (UNCONFIRMED, Problem.NONE)
    assert (status.state, status.raw) == (PhoneState.UNKNOWN, "")


async def test_a_status_that_carries_the_value_confirms_it(
    microsip: SteeredPeer, store: Path
) -> None:
    microsip.order("reset", wording={"idle": "idle, volume {volume}"})

    async with handset(store, dde()) as phone:
        result = await phone.does("volume 40")

    assert (result.outcome, result.evidence) == (CONFIRMED, "idle, volume 40")


async def test_a_busy_server_is_asked_once_more(microsip: SteeredPeer, store: Path) -> None:
    microsip.order("busy", times=1)

    async with handset(store, dde()) as phone:
        result = await phone.does("dial 1002")

    assert received(microsip) == ["Dial 1002", "Dial 1002"]
    assert result.outcome is CONFIRMED


async def test_a_server_that_stays_busy_is_not_asked_a_third_time(
    microsip: SteeredPeer, store: Path
) -> None:
    microsip.order("busy", times=9)

    async with handset(store, dde()) as phone:
        result = await phone.does("dial 1002")

    assert received(microsip) == ["Dial 1002", "Dial 1002"]
    assert (result.outcome, result.problem) == (FAILED, Problem.FAILED)
    assert "busy" in result.detail


async def test_what_microsip_refuses_has_failed(microsip: SteeredPeer, store: Path) -> None:
    microsip.order("refuse", times=1)

    async with handset(store, dde()) as phone:
        result = await phone.does("dial 1002")

    assert received(microsip) == ["Dial 1002"]
    assert (result.outcome, result.problem) == (FAILED, Problem.FAILED)


@pytest.mark.parametrize(
    "line", ["hangup", "answer", "reject", "hold", "transfer 1003", "dtmf 1"]
)
async def test_nothing_is_sent_where_no_call_allows_it(
    line: str, microsip: SteeredPeer, store: Path
) -> None:
    async with handset(store, dde()) as phone:
        result = await phone.does(line)

    assert received(microsip) == []
    assert (result.outcome, result.problem) == (FAILED, Problem.NO_CALL)


@pytest.mark.parametrize("topic", ["", "MicroSIP", "System", "Phone"])
async def test_the_topic_is_found_or_configured(topic: str, store: Path) -> None:
    options = ("--service", "Topical", "--topic", topic or "Whatever")
    with SteeredPeer(start, "tests.peers.dde_microsip", *options) as microsip:
        microsip.order("wildcard", offered=not topic)
        configured = topic if topic == "Phone" else ""
        async with handset(store, dde("Topical", topic=configured)) as phone:
            result = await phone.does("dial 1002")

        assert received(microsip) == ["Dial 1002"]
        assert result.outcome is CONFIRMED


async def test_a_hanging_microsip_holds_up_nothing_and_is_not_asked_twice(
    microsip: SteeredPeer, store: Path
) -> None:
    microsip.order("hang")

    async with handset(store, dde()) as phone, loop_kept_running(0.5):
        # Both are answered while it hangs: it is let go only after them.
        hanging = await phone.does("dial 1002")
        refused_at_once = await phone.does("dial 1003")
        microsip.order("release")
        back = await until(
            lambda: phone.does("status"), lambda it: it.problem is Problem.NONE, seconds=20
        )
        after = await phone.does("callto 1004")

    assert hanging.problem is Problem.NOT_RESPONDING
    assert hanging.outcome in {UNCONFIRMED, FAILED}
    assert (refused_at_once.outcome, refused_at_once.problem) == (
        FAILED,
        Problem.NOT_RESPONDING,
    )
    assert back.outcome is CONFIRMED
    assert after.problem is Problem.NONE
    assert received(microsip) == ["Dial 1002", "CallTo 1004"]


async def test_no_server_is_said_clearly(store: Path) -> None:
    async with handset(store, dde("Nobody")) as phone:
        status = await phone.does("status")
        dial = await phone.does("dial 1002")

    assert (status.outcome, status.problem) == (FAILED, Problem.NOT_RUNNING)
    assert (dial.outcome, dial.problem) == (FAILED, Problem.NOT_RUNNING)
    assert "start it" in dial.detail


async def test_a_microsip_that_died_is_found_again(store: Path) -> None:
    mortal = ("--service", "Mortal")
    async with handset(store, dde("Mortal")) as phone:
        with SteeredPeer(start, "tests.peers.dde_microsip", *mortal) as first:
            before = await phone.does("dial 1001")
            first.order_only("die")
            first.ended()
            between = await phone.does("dial 1002")
        with SteeredPeer(start, "tests.peers.dde_microsip", *mortal) as second:
            after = await phone.does("dial 1003")
            strings = received(second)

    assert before.outcome is CONFIRMED
    assert (between.outcome, between.problem) == (FAILED, Problem.NOT_RUNNING)
    assert after.outcome is CONFIRMED
    assert strings == ["Dial 1003"]


async def test_a_hung_window_on_the_desktop_holds_up_nothing(
    microsip: SteeredPeer, store: Path
) -> None:
    async with handset(store, dde()) as phone, loop_kept_running(0.5):
        with SteeredPeer(start, "tests.peers.frozen_window"):
            frozen = await phone.does("dial 1002")
            again = await phone.does("dial 1002")
        thawed = await until(
            lambda: phone.does("status"), lambda it: it.problem is Problem.NONE, seconds=20
        )
        after = await phone.does("dial 1003")

    assert (frozen.outcome, frozen.problem) == (FAILED, Problem.NOT_RESPONDING)
    assert (again.outcome, again.problem) == (FAILED, Problem.NOT_RESPONDING)
    assert thawed.outcome is CONFIRMED
    assert after.outcome is CONFIRMED
    assert received(microsip) == ["Dial 1003"]


async def test_each_interaction_is_a_line_in_the_api_log(
    microsip: SteeredPeer, store: Path, tmp_path: Path
) -> None:
    microsip.order("reset", state="active", number="1001")

    async with handset(store, dde(), api_log=tmp_path) as phone:
        await phone.does("dtmf 1")
        await phone.does("hold")
        await phone.does("dial 0900123")

    lines = (tmp_path / "microsip_api.log").read_text("utf-8").splitlines()
    assert [line.partition("Z ")[2] for line in lines] == [
        "dtmf 1 unconfirmed",
        "hold confirmed",
        "dial 0900123 refused not_allowed",
    ]
    assert received(microsip) == ["SendDTMF 1", "Hold"]
