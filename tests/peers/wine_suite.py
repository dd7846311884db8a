"""Runs suites of the Windows side by pytest on Windows Python, reads what it reports."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.peers.wine import WindowsPython, windows_path


@dataclass(frozen=True)
class SuiteRun:
    """What pytest on Windows Python said."""

    exit_code: int
    output: str
    report: ET.Element

    def trouble(self) -> list[int]:
        """Failures, errors, skipped: a skip there would be a test that nobody ran."""
        return [int(self.report.attrib[what]) for what in ("failures", "errors", "skipped")]

    def ran(self, suite: str) -> int:
        """How many tests of this file ran on a real channel."""
        module = suite.removesuffix(".py").replace("/", ".")
        return sum(
            case.attrib["classname"] == module and "simulated" not in case.attrib["name"]
            for case in self.report.iter("testcase")
        )

    def rows(self) -> Iterator[list[str]]:
        """The tables' rows that tests recorded."""
        for found in self.report.iter("property"):
            yield [str(cell) for cell in json.loads(found.attrib["value"])]


def run_suites(python: WindowsPython, folder: Path, suites: tuple[str, ...]) -> SuiteRun:
    """Run the *suites*; *folder* is for the report."""
    report = folder / "report.xml"
    options = ("-p", "no:cacheprovider", "--noconftest", "-o", "junit_family=xunit1")
    done = python.run(
        *("-m", "pytest", *options, "--junitxml", windows_path(report), *suites), timeout=240
    )
    assert report.exists(), done.stdout
    suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314  our own file
    assert suite is not None
    return SuiteRun(done.returncode, done.stdout, suite)
