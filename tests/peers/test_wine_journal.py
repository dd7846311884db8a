"""The journal on Windows, where locks and open files are another matter."""

from pathlib import Path

import pytest

from tests.peers.wine import WindowsPython
from tests.peers.wine_suite import run_suites

pytestmark = [pytest.mark.peer("wine"), pytest.mark.timeout(300)]

SUITES = {
    "tests/unit/test_journal.py": 50,
    "tests/unit/test_journal_engines.py": 8,
    "tests/unit/test_former_journal.py": 10,
    "tests/unit/test_intake.py": 5,
}
"""Each runs more tests than this."""


def test_its_suites_pass_on_windows_python(
    windows_python: WindowsPython, tmp_path: Path
) -> None:
    run = run_suites(windows_python, tmp_path, tuple(SUITES))

    assert (run.exit_code, run.trouble()) == (0, [0, 0, 0]), run.output
    assert all(run.ran(suite) > least for suite, least in SUITES.items())
