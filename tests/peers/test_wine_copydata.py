"""WM_COPYDATA for real: the suite of the Windows side, run by Windows Python under Wine."""

from pathlib import Path

import pytest

from gateway.phone import Verb
from tests.peers.sip_ua import SipUserAgent
from tests.peers.wine import WindowsPython
from tests.peers.wine_gateway import TESTER, WindowsGateway
from tests.peers.wine_steering import SteeredPeer
from tests.peers.wine_suite import SuiteRun, run_suites

pytestmark = [pytest.mark.peer("wine"), pytest.mark.timeout(300)]

SUITES = ("tests/peers/wine_copydata_suite.py", "tests/peers/wine_auto_suite.py")
NEVER_SENT = {Verb.DEVICE, Verb.CLOSE}
"""There is no string for these."""


@pytest.fixture(scope="module")
def suite_run(
    windows_python: WindowsPython, tmp_path_factory: pytest.TempPathFactory
) -> SuiteRun:
    return run_suites(windows_python, tmp_path_factory.mktemp("windows"), SUITES)


def test_every_suite_passes_on_windows_python(suite_run: SuiteRun) -> None:
    assert (suite_run.exit_code, suite_run.trouble()) == (0, [0, 0, 0]), suite_run.output


@pytest.mark.parametrize("suite", SUITES)
def test_no_suite_is_passed_over(suite: str, suite_run: SuiteRun) -> None:
    assert suite_run.ran(suite) > 3, suite_run.output


@pytest.mark.parametrize("version", ["3.20.5", "3.21.4", "3.22.3"])
def test_each_verb_that_has_a_string_reached_the_window(
    version: str, suite_run: SuiteRun
) -> None:
    rows = sorted(row for row in suite_run.rows() if row[0] == version)
    reached = {row[1].split()[0] for row in rows}

    print("\n".join(f"| {' | '.join(row)} |" for row in rows))  # noqa: T201  for the reader

    declined = {Verb.REJECT} if version == "3.20.5" else set()
    assert reached == {verb.value for verb in Verb if verb not in NEVER_SENT | declined}


async def test_a_message_reaches_a_microsip_that_has_no_dde_server(
    windows_python: WindowsPython, tmp_path: Path
) -> None:
    with SteeredPeer(windows_python.start, "tests.peers.wine_microsip_window") as microsip:
        async with (
            WindowsGateway(windows_python, tmp_path, driver="auto") as gateway,
            SipUserAgent(TESTER, gateway.sip_port) as tester,
        ):
            dialled = await tester.ask(gateway.bot, "dial 1002")
            microsip.order("stack", up=False)
            dropped = await tester.ask(gateway.bot, "dial 1003")
            doctor = await gateway.command("doctor")
        texts = [report["text"] for report in microsip.reports("copydata")]

    assert dialled.startswith("OK dial 1002 (idle -> dialing, 1002) #"), gateway.log()
    assert dropped.startswith("ERR dial 1003 (MicroSIP is still starting"), gateway.log()
    assert [text for text in texts if text != "msip:"] == ["1002"]
    assert "by copydata (chosen because no DDE server answers" in doctor.stdout
