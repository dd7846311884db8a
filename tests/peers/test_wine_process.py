"""MicroSIP's process and ini for real: the suites are run by Windows Python under Wine."""

import pytest

from tests.peers.wine import WindowsPython
from tests.peers.wine_suite import SuiteRun, run_suites

pytestmark = [pytest.mark.peer("wine"), pytest.mark.timeout(300)]

SUITES = {"tests/peers/wine_process_suite.py": 6, "tests/peers/wine_pc_suite.py": 2}
"""Each runs more tests than this."""


@pytest.fixture(scope="module")
def suite_run(
    windows_python: WindowsPython, tmp_path_factory: pytest.TempPathFactory
) -> SuiteRun:
    return run_suites(windows_python, tmp_path_factory.mktemp("windows"), tuple(SUITES))


def test_the_suites_pass_on_windows_python(suite_run: SuiteRun) -> None:
    assert (suite_run.exit_code, suite_run.trouble()) == (0, [0, 0, 0]), suite_run.output
    assert all(suite_run.ran(suite) > least for suite, least in SUITES.items())
