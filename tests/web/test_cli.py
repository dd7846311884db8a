"""What the command line prints of the running gateway's answers."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from prometheus_client import CollectorRegistry

from gateway.cli import main
from gateway.cli.failures import explain
from gateway.message import Delivered, Failed, FinalResponse
from gateway.metrics import Metrics
from gateway.phone import CommandOutcome, Problem
from gateway.store.database import Database
from gateway.web.client import RequestRefused
from gateway.web.local import LocalAccess, write_local_access
from gateway.web.phone import Phone
from gateway.web.refused_commands import RefusedCommands
from tests.contract.samples import MINUTE, sent, settled
from tests.fakes import NOON, FakeClock
from tests.unit.chat_bench import Bench
from tests.unit.chat_fakes import FakeCallControl, FakeCommandLog
from tests.web.conftest import ALL, Office, server_on


async def run(url: str, data_dir: Path, *arguments: str) -> Result:
    """The command, in a thread as it has a loop of its own."""
    write_local_access(data_dir, LocalAccess(url, ALL))
    config = data_dir / "gateway.toml"
    config.write_text(f"data_dir = {json.dumps(str(data_dir))}\n")
    command = [*arguments, "--config", str(config)]
    return await asyncio.to_thread(CliRunner().invoke, main, command)


@pytest.mark.parametrize(
    "phone",
    [
        pytest.param(FakeCallControl(simulated=True), id="simulated"),
        pytest.param(FakeCallControl(evidence=""), id="done"),
        pytest.param(
            FakeCallControl(
                outcome=CommandOutcome.UNCONFIRMED, evidence="", detail="sent", simulated=True
            ),
            id="unconfirmed",
        ),
        pytest.param(
            FakeCallControl(
                outcome=CommandOutcome.REFUSED, problem=Problem.NO_CALL, detail="no call"
            ),
            id="no-call",
        ),
        pytest.param(
            FakeCallControl(
                outcome=CommandOutcome.REFUSED, problem=Problem.NOT_ALLOWED, detail="denied"
            ),
            id="not-allowed",
        ),
    ],
)
async def test_a_phone_command_is_answered_as_in_the_chat(
    phone: FakeCallControl, database: Database, tmp_path: Path
) -> None:
    in_chat = await Bench(phone=replace(phone, requests=[])).say("dial 1002")
    resource = Phone(
        call_control=replace(phone, requests=[]),
        refused=RefusedCommands(audit=FakeCommandLog(), clock=FakeClock()),
    )
    metrics = Metrics(CollectorRegistry())

    async with server_on(database, FakeClock(), metrics, [resource]) as server:
        result = await run(server.url, tmp_path, "phone", "dial", "1002")

    assert result.stdout.strip() == in_chat


@pytest.mark.parametrize("words", [("close",), ("device", "input", "3")], ids=" ".join)
async def test_what_is_confirmed_with_yes_is_carried_out(
    office: Office, tmp_path: Path, words: tuple[str, ...]
) -> None:
    result = await run(office.server.url, tmp_path, "phone", *words, "--yes")

    assert result.exit_code == 0, result.output
    assert [str(request.command) for request in office.phone.requests] == [" ".join(words)]


async def test_a_message_as_me_is_a_line_of_the_chat(office: Office, tmp_path: Path) -> None:
    result = await run(
        office.server.url, tmp_path, "send", "--as-me", "+49 30 123", "two\nlines"
    )

    ((text, caller),) = office.commander.asked
    assert (text, caller.who) == ("send as:me +4930123 two lines", f"token:{ALL}")
    assert (result.exit_code, result.stdout) == (0, f"OK {text}\nsecond line\n")


@pytest.mark.parametrize(
    ("outcome", "remark"),
    [
        pytest.param(Delivered(FinalResponse(200, "OK")), "(delivered)", id="ordinary"),
        pytest.param(
            Delivered(FinalResponse(202, "Accepted")), "(relayed 202 Accepted)", id="relayed"
        ),
        pytest.param(
            Failed(FinalResponse(404, "Not Found")), "(failed 404 Not Found)", id="failed"
        ),
    ],
)
async def test_history_says_why_a_message_was_not_delivered(
    office: Office, tmp_path: Path, outcome: Delivered | Failed, remark: str
) -> None:
    await office.store.add_outbound(sent("hello"))
    (delivery,) = await office.store.lease_due(NOON, MINUTE, 1, 1)
    await office.store.settle(settled(delivery, outcome))

    result = await run(office.server.url, tmp_path, "history")

    assert result.stdout.endswith(f" -> sip:101@office.example {remark} hello\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(("send", "101", ""), "/text: ", id="checked"),
        pytest.param(("send", "1 0 1", "hello"), "1 0 1", id="understood"),
        pytest.param(("history", "is:bogus"), "is:bogus is no status", id="query"),
    ],
)
async def test_what_is_wrong_is_said_once(
    office: Office, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    result = await run(office.server.url, tmp_path, *arguments)

    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert told in result.stderr


def test_each_thing_that_is_wrong_is_said_once() -> None:
    errors = [{"pointer": "/to", "detail": "missing"}, {"pointer": "/a", "detail": "unknown"}]
    refused = RequestRefused(400, {"detail": "/to: missing", "errors": errors})

    assert explain(refused)[0] == "error: /to: missing\n  /a: unknown"
