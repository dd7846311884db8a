"""``sip-gateway db copy``, as it is typed."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.data_folder import DataFolder
from tests.copying.conftest import MakeUrl
from tests.copying.databases import change_what_arrives, opened
from tests.copying.every_table import fill, fill_messages
from tests.peers.gateway_process import EVERYBODY_MAY, LOCAL_ACCOUNT, ROOT, GatewayProcess
from tests.peers.postgresql import PostgreSql
from tests.peers.sip_ua import SipUserAgent

pytestmark = [pytest.mark.timeout(120)]

POSTGRESQL = pytest.mark.peer("postgresql")
SIGKILL = 9  # by number: the types are checked for Windows too
PASSWORD = "geheim:9@x/"


def run(*arguments: str) -> Result:
    umask = os.umask(0o022)
    try:
        return CliRunner().invoke(main, ("db", "copy", *arguments))
    finally:
        os.umask(umask)


def configured(data_dir: Path) -> str:
    return f"sqlite+aiosqlite:///{data_dir}/gateway.db"


async def prepare_to_change(url: str) -> None:
    async with opened(url, upgraded=True) as database:
        await change_what_arrives(database)


# As a terminal starts it: what runs in a shell's background ignores Ctrl-C, and so would it.
_HEEDS_CTRL_C = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    " runpy.run_module('gateway', run_name='__main__', alter_sys=True)"
)


async def started(*arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _HEEDS_CTRL_C, "db", "copy", *arguments),
        cwd=ROOT,
        stdout=PIPE,
        stderr=PIPE,
    )


async def line_of(process: Process, expected: str) -> None:
    assert process.stderr is not None
    async for line in process.stderr:
        if line.decode().strip() == expected:
            return
    pytest.fail(f"it never printed: {expected}")


async def rest_of(process: Process) -> str:
    """What it prints until its end: standard output, or the errors where there is none."""
    output, errors = await process.communicate()
    return (output or errors).decode()


@contextmanager
def claimed(url: str) -> Iterator[None]:
    """As by a gateway that runs."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def claim() -> None:
            database = await stack.enter_async_context(opened(url, node="pc-1"))
            await stack.enter_async_context(database.claimed())

        runner.run(claim())
        yield
        runner.run(stack.aclose())


@pytest.fixture
def config(tmp_path: Path, data_dir: Path) -> str:
    path = tmp_path / "gateway.toml"
    path.write_text(f"data_dir = {json.dumps(str(data_dir))}\n")
    return str(path)


@pytest.fixture
def full_config(config: str, data_dir: Path) -> str:
    async def make() -> None:
        async with opened(configured(data_dir), upgraded=True) as source:
            await fill(source)

    asyncio.run(make())
    return config


def test_a_table_and_what_to_do_next_are_printed(full_config: str, new_url: MakeUrl) -> None:
    url = new_url("sqlite")

    result = run(url, "--config", full_config)

    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    [message] = [line for line in lines if line[:1] == ["message"]]
    assert message[1:3] == ["20", "20"]
    assert message[3] == message[4]
    assert message[5] == "equal"
    assert f'url = "{url}"' in result.stdout
    assert "copied message: 20 of 20" in result.stderr


def test_machines_get_json_alone(full_config: str, new_url: MakeUrl) -> None:
    result = run(new_url("sqlite"), "--json", "--config", full_config)

    document = json.loads(result.stdout)
    assert document["equal"]
    assert {t["name"]: t["target"]["rows"] for t in document["tables"]}["peer"] == 20


def test_a_new_file_is_nobody_elses_to_read(full_config: str, new_url: MakeUrl) -> None:
    url = new_url("sqlite")

    run(url, "--config", full_config)

    assert Path(url.removeprefix("sqlite+aiosqlite:///")).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("url", "told"),
    [
        pytest.param("", "not a database URL", id="empty"),
        pytest.param("mysql://u:secret@h/d", "mysql is not supported", id="mysql"),
        pytest.param("postgresql+asyncpg://u@h:secret/d", "not a database URL", id="port"),
        pytest.param("postgresql+asyncpg://u:se@cret@h/d", "%40", id="at"),
        pytest.param("sqlite+aiosqlite://", "names no file", id="in memory"),
    ],
)
def test_a_url_that_is_none_is_refused_without_its_password(
    full_config: str, url: str, told: str
) -> None:
    result = run(url, "--config", full_config)

    assert result.exit_code == 2
    assert told in result.stderr
    assert "cret" not in result.stderr


def test_a_password_file_that_is_not_there_is_named(full_config: str, new_url: MakeUrl) -> None:
    result = run(new_url("sqlite"), "--password-file", "no.secret", "--config", full_config)

    assert result.exit_code == 2
    assert "--password-file no.secret cannot be read" in result.stderr


def test_what_differs_ends_with_exit_1(full_config: str, new_url: MakeUrl) -> None:
    url = new_url("sqlite")
    asyncio.run(prepare_to_change(url))

    result = run(url, "--config", full_config)

    [peer] = [line for line in result.stdout.splitlines() if line.split()[:1] == ["peer"]]
    assert result.exit_code == 1
    assert peer.split()[-1] == "DIFFERS"
    assert "nothing of it was kept" in result.stderr
    assert "[database]" not in result.stdout


def test_a_running_gateway_keeps_its_database(
    full_config: str, data_dir: Path, new_url: MakeUrl
) -> None:
    with DataFolder(data_dir):
        result = run(new_url("sqlite"), "--config", full_config)

    assert result.exit_code == 1
    assert "in use by another gateway" in result.stderr


@POSTGRESQL
def test_the_database_of_a_running_gateway_is_no_target(
    full_config: str, new_url: MakeUrl
) -> None:
    url = new_url("postgresql")

    with claimed(url):
        result = run(url, "--config", full_config)

    assert result.exit_code == 1
    assert "in use by another gateway" in result.stderr


@POSTGRESQL
def test_a_password_is_never_printed(
    full_config: str, postgresql: PostgreSql, tmp_path: Path
) -> None:
    url = postgresql.create_guarded_database(PASSWORD)
    (tmp_path / "right.secret").write_text(PASSWORD + "\n")
    (tmp_path / "wrong.secret").write_text("geheimer")
    in_url = url.replace("@", f":{quote(PASSWORD, safe='')}@")

    wrong = run(url, "--password-file", str(tmp_path / "wrong.secret"), "--config", full_config)
    right = run(url, "--password-file", str(tmp_path / "right.secret"), "--config", full_config)
    again = run(in_url, "--config", full_config)

    assert (wrong.exit_code, right.exit_code, again.exit_code) == (1, 0, 1)
    assert "password authentication failed" in wrong.stderr
    assert f'url = "{url}"' in right.stdout
    assert f'password_file = "{tmp_path}/right.secret"' in right.stdout
    assert f"{url} is not empty" in again.stderr
    assert "geheim" not in wrong.output + right.output + again.output


@POSTGRESQL
@pytest.mark.parametrize("by", [signal.SIGINT.value, SIGKILL])
async def test_a_copy_that_ends_early_can_be_typed_again(
    config: str, data_dir: Path, new_url: MakeUrl, by: int
) -> None:
    async with opened(configured(data_dir), upgraded=True) as source:
        await fill(source)
        await fill_messages(source, 10_000)
    url = new_url("postgresql")
    first = await started(url, "--config", config)
    await line_of(first, "copied idempotency: 20 of 20")

    first.send_signal(by)
    told = await rest_of(first)
    second = await started(url, "--json", "--config", config)
    document = json.loads(await rest_of(second))

    assert document["equal"]
    assert {t["name"]: t["target"]["rows"] for t in document["tables"]}["message"] == 10_020
    assert first.returncode == (-SIGKILL if by == SIGKILL else 1)
    assert by == SIGKILL or "nothing was copied; type it again" in told


@POSTGRESQL
async def test_the_gateway_runs_on_the_copy(new_url: MakeUrl, tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path / "gateway", LOCAL_ACCOUNT, EVERYBODY_MAY)
    async with gateway, SipUserAgent("101", gateway.sip_port) as anna:
        await anna.ask(gateway.bot, "ping")
        before = {item["id"] for item in await gateway.history()}
    url = new_url("postgresql")

    moved = await started(url, "--config", str(gateway.configuration))
    await rest_of(moved)
    with gateway.configuration.open("a") as configuration:
        configuration.write(f'\n[database]\nurl = "{url}"\n')

    assert moved.returncode == 0
    async with gateway:
        assert {item["id"] for item in await gateway.history()} == before
