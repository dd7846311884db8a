"""DDE for real: the suite of the Windows side, run by Windows Python under Wine."""

import pytest

from gateway.phone import Verb
from tests.peers.wine import WindowsPython
from tests.peers.wine_steering import SteeredPeer
from tests.peers.wine_suite import SuiteRun, run_suites

pytestmark = [pytest.mark.peer("wine"), pytest.mark.timeout(300)]

SUITES = (
    "tests/peers/wine_dde_suite.py",
    "tests/contract/test_channel.py",
    "tests/contract/test_call_control.py",
)


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


@pytest.mark.parametrize("syntax", ["plain", "bracket"])
def test_each_of_the_sixteen_verbs_reached_the_server(syntax: str, suite_run: SuiteRun) -> None:
    rows = sorted(
        row for row in suite_run.rows() if (row[2][0] == "[") == (syntax == "bracket")
    )
    reached = {row[1].split()[0] for row in rows if row[0] == "own"}

    print("\n".join(f"| {' | '.join(row)} |" for row in rows))  # noqa: T201  for the reader

    # Status is requested as an item, and knows no syntax.
    assert reached == {verb.value for verb in Verb if syntax == "plain" or verb != Verb.STATUS}


def test_the_played_microsip_understands_somebody_elses_client(
    windows_python: WindowsPython,
) -> None:
    strings = ("Dial 1002", '[Dial("1003")]', '[SetDevice("input","3")]', "Hangup")

    with SteeredPeer(windows_python.start, "tests.peers.dde_microsip") as microsip:
        module = ("-m", "tests.peers.wine_pywin32_client")
        client = windows_python.run(*module, windows_python.pywin32, "MicroSIP", *strings)
        received = [report["text"] for report in microsip.reports("execute")]

    assert client.returncode == 0, client.stdout
    assert received == list(strings)
