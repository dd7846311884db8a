"""Waiting for a database that is away."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from gateway.errors import StorageUnavailable
from gateway.patience import Patience

AT_ONCE = Patience(first=timedelta())


@pytest.mark.parametrize(
    ("reasons", "lines"),
    [
        pytest.param([], 0, id="there"),
        pytest.param(["refused", "refused", "refused"], 1, id="away"),
        pytest.param(["refused", "refused", "starting up"], 2, id="another-reason"),
    ],
)
async def test_each_reason_of_an_outage_is_one_line_in_the_log(
    caplog: pytest.LogCaptureFixture, reasons: Sequence[str], lines: int
) -> None:
    left = list(reasons)

    async def call() -> str:
        if left:
            raise StorageUnavailable(left.pop(0))
        return "done"

    result = await AT_ONCE.insist("answering", call)

    assert result == "done"
    assert caplog.text.count("answering waits for the database") == lines
