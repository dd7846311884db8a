"""Whatever the OpenAPI document allows or forbids, the server answers as it says."""

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from tests.web.conftest import ALL, Office, Rates

pytestmark = pytest.mark.timeout(900)

CONFIGURATION = Path(__file__).resolve().with_name("schemathesis.toml")


@pytest.fixture
def rates() -> Rates:
    """No limits: hundreds of requests follow."""
    return Rates(token="", hook="")


async def schemathesis(folder: Path, office: Office, *options: str) -> tuple[int, str]:
    """Its exit code with what it printed; every check, from a fixed seed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)),
        *("--no-color", "run", f"{office.server.url}/openapi.json"),
        *("--header", f"Authorization: Bearer {ALL}"),
        *("--checks", "all", "--seed", "4", "--generation-database", "none"),
        *("--warnings", "off", *options),
        cwd=folder,  # it leaves what failed there
        stdout=PIPE,
        stderr=STDOUT,
    )
    printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode()


async def test_every_check_of_schemathesis_passes(
    tmp_path: Path, office: Office, examples: int
) -> None:
    code, printed = await schemathesis(tmp_path, office, "--max-examples", str(examples))

    assert code == 0, printed
    but_the_document = len(office.server.routes) - 1
    assert _tested(printed) == but_the_document, printed


def _tested(printed: str) -> int:
    found = re.search(r"Tested: (\d+)", printed)
    return int(found[1]) if found else 0
