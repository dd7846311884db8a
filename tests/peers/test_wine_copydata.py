"""WM_COPYDATA for real: the suite of the Windows side, run by Windows Python under Wine."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import pytest

from gateway.phone import Verb
from tests.peers.wine import WindowsPython, windows_path

pytestmark = [pytest.mark.peer("wine"), pytest.mark.timeout(300)]

SUITE = "tests/peers/wine_copydata_suite.py"
NEVER_SENT = {Verb.DEVICE, Verb.CLOSE}
"""There is no string for these."""


@dataclass(frozen=True)
class SuiteRun:
    """What pytest on Windows Python said."""

    exit_code: int
    output: str
    report: ET.Element

    def count(self, what: str) -> int:
        return int(self.report.attrib[what])

    def rows(self) -> Iterator[list[str]]:
        """Version, line, last string, how many, effect."""
        for found in self.report.iter("property"):
            if found.attrib["name"] == "row":
                row: list[str] = [str(cell) for cell in json.loads(found.attrib["value"])]
                yield row


@pytest.fixture(scope="module")
def suite_run(
    windows_python: WindowsPython, tmp_path_factory: pytest.TempPathFactory
) -> SuiteRun:
    report = tmp_path_factory.mktemp("windows") / "report.xml"
    options = ("-p", "no:cacheprovider", "--noconftest", "-o", "junit_family=xunit1")
    done = windows_python.run(
        *("-m", "pytest", *options, "--junitxml", windows_path(report), SUITE), timeout=240
    )
    assert report.exists(), done.stdout
    suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314  our own file
    assert suite is not None
    return SuiteRun(done.returncode, done.stdout, suite)


def test_the_suite_passes_on_windows_python(suite_run: SuiteRun) -> None:
    trouble = [suite_run.count(what) for what in ("failures", "errors", "skipped")]

    assert (suite_run.exit_code, trouble) == (0, [0, 0, 0]), suite_run.output


@pytest.mark.parametrize("version", ["3.20.5", "3.21.4", "3.22.3"])
def test_each_verb_that_has_a_string_reached_the_window(
    version: str, suite_run: SuiteRun
) -> None:
    rows = sorted(row for row in suite_run.rows() if row[0] == version)
    reached = {row[1].split()[0] for row in rows}

    print("\n".join(f"| {' | '.join(row)} |" for row in rows))  # noqa: T201  for the reader

    declined = {Verb.REJECT} if version == "3.20.5" else set()
    assert reached == {verb.value for verb in Verb if verb not in NEVER_SENT | declined}
