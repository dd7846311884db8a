"""MicroSIP's process and ini for real: the suite is run by Windows Python under Wine."""

import pytest

from tests.peers.wine import WindowsPython
from tests.peers.wine_suite import SuiteRun, run_suites

pytestmark = [pytest.mark.peer("wine"), pytest.mark.timeout(300)]

SUITE = "tests/peers/wine_process_suite.py"


@pytest.fixture(scope="module")
def suite_run(
    windows_python: WindowsPython, tmp_path_factory: pytest.TempPathFactory
) -> SuiteRun:
    return run_suites(windows_python, tmp_path_factory.mktemp("windows"), (SUITE,))


def test_the_suite_passes_on_windows_python(suite_run: SuiteRun) -> None:
    assert (suite_run.exit_code, suite_run.trouble()) == (0, [0, 0, 0]), suite_run.output
    assert suite_run.ran(SUITE) > 8
