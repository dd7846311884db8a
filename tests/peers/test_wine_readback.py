"""Read-back for real: the windows of a played MicroSIP, read by Windows Python under Wine."""

from collections import defaultdict
from statistics import median, quantiles

import pytest

from gateway.phone import Verb
from tests.peers.wine import WindowsPython
from tests.peers.wine_suite import SuiteRun, run_suites

pytestmark = [pytest.mark.peer("wine"), pytest.mark.timeout(300)]

SUITE = "tests/peers/wine_readback_suite.py"
SEEN_ELSEWHERE = {Verb.STATUS, Verb.CALLTO, Verb.DTMF, Verb.DEVICE, Verb.CLOSE}


@pytest.fixture(scope="module")
def suite_run(
    windows_python: WindowsPython, tmp_path_factory: pytest.TempPathFactory
) -> SuiteRun:
    return run_suites(windows_python, tmp_path_factory.mktemp("windows"), (SUITE,))


def test_the_suite_passes_on_windows_python(suite_run: SuiteRun) -> None:
    assert (suite_run.exit_code, suite_run.trouble()) == (0, [0, 0, 0]), suite_run.output
    assert suite_run.ran(SUITE) > 3, suite_run.output


@pytest.mark.parametrize("version", ["3.20.5", "3.21.4", "3.22.3"])
def test_each_verb_is_seen_in_the_windows(version: str, suite_run: SuiteRun) -> None:
    times: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row_version, line, evidence, milliseconds in suite_run.rows():
        if row_version == version:
            times[line, evidence].append(int(milliseconds))

    for (line, evidence), taken in times.items():
        p95 = quantiles(taken, n=20)[-1] if len(taken) > 1 else taken[0]
        row = (version, line, evidence, f"{median(taken):.0f} ms", f"{p95:.0f} ms", len(taken))
        print("|", " | ".join(map(str, row)), "|")  # noqa: T201  for the reader

    declined = {Verb.REJECT} if version == "3.20.5" else set()
    shown = {line.split()[0] for line, _ in times}
    assert shown == {verb.value for verb in set(Verb) - SEEN_ELSEWHERE - declined}
