"""The lines of microsip_api.log."""

import logging
from pathlib import Path

import pytest

from gateway.microsip.api_log import FILE_NAME, ApiLog
from gateway.phone import CommandOutcome, CommandResult, PhoneCommand, Verb
from tests.fakes import NOON

RESULT = CommandResult(
    command_id="cmd_1",
    command=PhoneCommand(Verb.DEVICE, ("input", "3")),
    outcome=CommandOutcome.UNCONFIRMED,
    simulated=True,
)


def test_a_line_is_added_for_each_result(tmp_path: Path) -> None:
    api_log = ApiLog(tmp_path)

    api_log.write(NOON, RESULT)
    api_log.write(NOON, RESULT)

    line = "2026-06-01 12:00:00Z device input 3 unconfirmed simulated\n"
    assert (tmp_path / FILE_NAME).read_text("utf-8") == line * 2


def test_a_file_that_cannot_be_written_stops_no_command(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    api_log = ApiLog(tmp_path / "missing")

    with caplog.at_level(logging.WARNING):
        api_log.write(NOON, RESULT)

    assert FILE_NAME in caplog.text
