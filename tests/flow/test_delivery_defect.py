"""A defect in one attempt."""

import pytest

from gateway.message import Status
from tests.flow.stage import Stage


async def test_a_defect_ends_one_delivery_not_the_others(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.sender.script("sip:101@office.example", RuntimeError("a defect"))

    broken = await stage.submit("101", "hello")
    other = await stage.submit("102", "hello")

    assert (await stage.final(broken)).status is Status.FAILED
    assert (await stage.final(other)).status is Status.DELIVERED
    assert "a defect" in caplog.text
