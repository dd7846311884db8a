"""What the log says of deliveries."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.message import FinalResponse
from tests.fakes import OK
from tests.flow.stage import Cast, running, staged

PEER = "sip:101@office.example"


async def test_the_log_names_a_message_as_its_readers_know_it(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with staged(data_dir, Cast()) as stage:
        stage.sender.script(PEER, FinalResponse(503, "Service Unavailable"), OK)
        stage.sender.script("sip:102@office.example", None)
        message = await stage.submit("101", "hello")
        silent = await stage.submit("102", "hello")
        async with running(stage):
            await stage.store.settled()
            stage.clock.advance(timedelta(seconds=2))
            stage.worker.wake()
            await stage.final(message)
            await stage.sender.until_sent(3)

    about = f"msg_{message.id} part 1"
    lines = [record.getMessage() for record in caplog.records]
    assert any(line.startswith(f"deferred {about} to {PEER}: 503") for line in lines)
    assert f"delivered {about} to {PEER}: 200 OK" in lines
    assert f"stopped before the final response: deliver msg_{silent.id} part 1" in lines
