"""``sip-gateway calls``, against a gateway that has some."""

import json
import re
from dataclasses import replace
from pathlib import Path

from gateway.call import CallDirection, CallOutcome
from gateway.call_log import CallCommit
from tests.web.conftest import Office
from tests.web.test_calls import ANSWERED, dialled
from tests.web.test_cli import run


async def test_calls_are_a_line_each_newest_first(office: Office, tmp_path: Path) -> None:
    rings = replace(dialled(2), direction=CallDirection.INCOMING, peer="\x1b[31m5", name="A\nB")
    missed = replace(rings, id="call_2", peer="", ended_at=rings.started_at)
    missed = replace(missed, outcome=CallOutcome.TURNED_AWAY, name="")
    for call in (ANSWERED, dialled(1), missed, replace(rings, id="call_3")):
        await office.call_log.store_call(CallCommit(call=call))

    result = await run(office.server.url, tmp_path, "calls")

    assert result.exit_code == 0
    lines = [
        re.sub(r"^\d{4}(-\d\d){2} \d\d(:\d\d){2} ", "", x) for x in result.output.splitlines()
    ]
    assert lines == [
        "<- ?[31m5 A?B (rings)",
        "<- (no number) (turned away)",
        "-> 1002 (rings)",
        "<- 555 Anna (answered, 60 s)",
    ]


async def test_as_json_a_call_is_as_rest_shows_it(office: Office, tmp_path: Path) -> None:
    for number in range(3):
        await office.call_log.store_call(CallCommit(call=dialled(number)))
    shown = await office.api.get("/v1/calls?limit=2")

    result = await run(office.server.url, tmp_path, "calls", "--json", "--limit", "2")

    assert [json.loads(line) for line in result.output.splitlines()] == shown.json["items"]


async def test_more_than_a_page_is_fetched_page_by_page(office: Office, tmp_path: Path) -> None:
    await office.call_log.merge_calls(
        [replace(dialled(n), record_key=str(n), sources=("ini",)) for n in range(250)]
    )

    result = await run(office.server.url, tmp_path, "calls", "--limit", "240")

    assert len(result.output.splitlines()) == 240


async def test_without_calls_it_says_so(office: Office, tmp_path: Path) -> None:
    result = await run(office.server.url, tmp_path, "calls")

    assert (result.exit_code, result.output) == (0, "no calls found\n")
