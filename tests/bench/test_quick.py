"""The benchmark itself, with tiny numbers: every row still runs."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from gateway.bench.rows import ROWS
from tests.peers.gateway_process import ROOT


async def bench(folder: Path, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, the JSON document, what was said on the way."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "bench", "--quick", "--json"),
        *("--folder", str(folder), *arguments),
        cwd=ROOT,
        stdout=PIPE,
        stderr=PIPE,
    )
    printed, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(printed or "[]"), said.decode()


@pytest.mark.timeout(180)
@pytest.mark.peer("sipp", "kamailio_databases", "postgresql")
async def test_every_row_is_measured(tmp_path: Path) -> None:
    code, rows, said = await bench(tmp_path)

    assert code == 0, said
    assert [row["row"] for row in rows] == [row.name for row in ROWS]
    assert [row for row in rows if not row.get("figures")] == []
    assert all(figure >= 0 for row in rows for figure in row["figures"].values())
    assert os.listdir(tmp_path) == []  # noqa: PTH208  in a coroutine


@pytest.mark.timeout(60)
async def test_rows_are_chosen_by_name(tmp_path: Path) -> None:
    code, rows, said = await bench(tmp_path, "start", "chat")

    assert code == 0, said
    assert [row["row"] for row in rows] == ["chat", "start"]


@pytest.mark.timeout(60)
async def test_a_row_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    code, _, said = await bench(tmp_path, "speed")

    assert code == 2
    assert "inbound-sqlite" in said
