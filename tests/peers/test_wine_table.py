"""The table of the verbs, measured under Wine: what is sent, what comes of it, how soon."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from math import ceil
from statistics import median

import pytest

from gateway.phone import CommandOutcome, Verb
from tests.peers.wine import WindowsPython
from tests.peers.wine_suite import SuiteRun, run_suites

pytestmark = [pytest.mark.peer("wine"), pytest.mark.timeout(300)]

SUITE = "tests/peers/wine_table_suite.py"
WAYS = ("DDE", "3.20.5", "3.21.4", "3.22.3")
NEVER_SENT = {Verb.DEVICE}
"""By WM_COPYDATA: there is no string for it."""
NOT_SHOWN = {Verb.DTMF, Verb.DEVICE}


@pytest.fixture(scope="module")
def suite_run(
    windows_python: WindowsPython, tmp_path_factory: pytest.TempPathFactory
) -> SuiteRun:
    run = run_suites(windows_python, tmp_path_factory.mktemp("windows"), (SUITE,))
    assert (run.exit_code, run.trouble()) == (0, [0, 0, 0]), run.output
    return run


@pytest.mark.parametrize("way", WAYS)
def test_each_verb_was_sent_and_its_effect_seen(way: str, suite_run: SuiteRun) -> None:
    rows = [row[1:] for row in suite_run.rows() if row[0] == way]
    sent = {line.split()[0] for line, text, *_ in rows if text}
    seen = {row[0].split()[0] for row in rows if row[2] == CommandOutcome.CONFIRMED}

    print("\n".join(_table(way, rows)))  # noqa: T201  for the reader

    none = NEVER_SENT | ({Verb.REJECT} if way == "3.20.5" else set())
    if way != "DDE":  # whose Status tells of calls alone
        assert sent == {verb.value for verb in set(Verb) - none}
        assert seen == {verb.value for verb in set(Verb) - none - NOT_SHOWN}
    else:
        assert sent == {verb.value for verb in Verb}
        assert {"dial", "answer", "hold", "hangup", "close"} <= seen


def _table(way: str, rows: list[list[str]]) -> list[str]:
    """A line for each command: its usual string and outcome, its times in milliseconds."""
    of_line = defaultdict(list)
    for line, *facts, taken in rows:
        of_line[line].append((tuple(facts), int(taken)))
    lines = []
    for line, runs in of_line.items():
        usual, _ = Counter(facts for facts, _ in runs).most_common(1)[0]
        lines.append((line, way, *usual, *_times(taken for _, taken in runs)))
    seen = [int(row[-1]) for row in rows if row[2] == CommandOutcome.CONFIRMED]
    lines.append(("all of them", way, "", "confirmed", "", *_times(seen)))
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _times(taken: Iterable[int]) -> tuple[str, str, str]:
    """Median, 95th percentile, number."""
    times = sorted(taken)
    p95 = times[ceil(0.95 * len(times)) - 1]
    return f"{median(times):.0f}", str(p95), str(len(times))
