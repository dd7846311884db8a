"""The journal on Windows, where locks and open files are another matter."""

from pathlib import Path

import pytest

from tests.peers.wine import WindowsPython
from tests.peers.wine_suite import run_suites

pytestmark = [pytest.mark.peer("wine"), pytest.mark.timeout(300)]

SUITE = "tests/unit/test_journal.py"


def test_its_suite_passes_on_windows_python(
    windows_python: WindowsPython, tmp_path: Path
) -> None:
    run = run_suites(windows_python, tmp_path, (SUITE,))

    assert (run.exit_code, run.trouble()) == (0, [0, 0, 0]), run.output
    assert run.ran(SUITE) > 50
