"""The figures of the benchmark, and how they are shown."""

import pytest

from gateway.bench.programs import SIPP, Program, absent
from gateway.bench.report import document
from gateway.bench.result import Latencies, LeftOut, Measured
from gateway.bench.rows import ROWS


@pytest.mark.parametrize(
    ("percent", "milliseconds"), [(50, 50), (99, 99), (100, 100), (0, 1)], ids=str
)
def test_a_percentile_is_the_nearest_rank(percent: float, milliseconds: float) -> None:
    latencies = Latencies([number / 1000 for number in range(100, 0, -1)])

    assert latencies.percentile(percent) == pytest.approx(milliseconds)


def test_a_row_that_was_left_out_has_no_figures() -> None:
    measured = Measured(text="2/s", figures={"per_second": 2.0}, ratio=1.5)

    first, second = document([(ROWS[0], measured), (ROWS[1], LeftOut("needs: x"))])

    assert first["figures"] == {"per_second": 2.0}
    assert first["ratio"] == 1.5
    assert second["left_out"] == "needs: x"
    assert "figures" not in second


def test_what_is_not_installed_is_named_by_its_package() -> None:
    nowhere = Program("/nowhere/at-all", "some-package")

    assert absent([nowhere]) == "needs: apt-get install some-package"
    assert absent([Program("sh", "dash")]) == ""
    assert SIPP.package == "sip-tester"


def test_each_row_has_a_name_of_its_own() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
