"""The image is built from its Dockerfile, answers in a chroot, and its registrar works."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, ClientSession

from gateway.bench.ports import free_port
from tests.peers.composition import DOCKER, Composition
from tests.peers.gateway_process import GatewayProcess, eventually
from tests.peers.image_builder import DATA, ImageBuilder, process_environment
from tests.peers.kamailio import DOMAIN, Kamailio
from tests.peers.postgresql import PostgreSql
from tests.peers.sip_ua import SipUserAgent

pytestmark = [pytest.mark.timeout(180)]

IMAGE = "localhost/sip-message-gateway"
REGISTRAR_IMAGE = "localhost/sip-message-gateway-kamailio"
USER = 10001
LISTED = f"{DATA}/dispatcher.list"
HADOLINT = str(Path(sys.executable).with_name("hadolint"))


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> ImageBuilder:
    return ImageBuilder(tmp_path_factory.mktemp("buildah"))


@pytest.fixture(scope="module")
def image(builder: ImageBuilder) -> Iterator[str]:
    builder.build("docker/Dockerfile", ".", IMAGE)
    yield IMAGE
    builder.remove(IMAGE)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    folder.mkdir()
    shutil.chown(folder, USER, USER)
    return folder


@dataclass(frozen=True)
class Contained:
    """A gateway that runs in its image."""

    container: str
    process: Process
    environment: dict[str, str]
    data: Path

    @property
    def pid(self) -> int:
        return int((self.data / "gateway.pid").read_text())


@asynccontextmanager
async def running(builder: ImageBuilder, image: str, data: Path) -> AsyncIterator[Contained]:
    """As the image says, on this machine's loopback."""
    configuration = builder.configuration(image)
    assert list(configuration["Volumes"]) == [DATA]
    environment = {
        "GATEWAY_HTTP__HOST": "127.0.0.1",
        "GATEWAY_HTTP__PORT": str(free_port()),
        "GATEWAY_SIP__BIND": "127.0.0.1",
        "GATEWAY_SIP__UDP_PORT": "0",
        "GATEWAY_SIP__TCP_PORT": "0",
    }
    command = [*configuration["Entrypoint"], *configuration["Cmd"]]
    with builder.container(image) as container:
        process = await asyncio.create_subprocess_exec(
            *builder.run_command(container, *command, data=data, environment=environment),
            env=process_environment(),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
        )
        contained = Contained(container, process, environment, data)
        try:
            await eventually(lambda: answers(contained), 60)
            yield contained
        finally:
            if process.returncode is None:
                os.kill(contained.pid, 15)
                await process.wait()


async def answers(gateway: Contained) -> bool:
    assert gateway.process.returncode is None, await _printed(gateway.process)
    url = f"http://127.0.0.1:{gateway.environment['GATEWAY_HTTP__PORT']}/healthz"
    try:
        async with ClientSession() as session, session.get(url) as response:
            return response.status == 200
    except ClientConnectionError:
        return False


def process_status(pid: int) -> str:
    return Path(f"/proc/{pid}/status").read_text()


async def _printed(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.read()).decode()


@pytest.mark.peer("buildah")
@pytest.mark.timeout(900)  # the first time, a Debian is downloaded
async def test_the_image_answers_as_its_own_user_and_stops_when_told(
    builder: ImageBuilder, image: str, data: Path
) -> None:
    async with running(builder, image, data) as gateway:
        status = process_status(gateway.pid)
        kind, *check = builder.configuration(image)["Healthcheck"]["Test"]
        await asyncio.to_thread(
            builder.run, gateway.container, *check, data=data, environment=gateway.environment
        )
        os.kill(gateway.pid, 15)
        async with asyncio.timeout(30):
            exit_code = await gateway.process.wait()
        printed = await _printed(gateway.process)

    assert f"Uid:\t{USER}\t{USER}\t{USER}\t{USER}" in status
    assert kind == "CMD"
    assert exit_code == 0, printed
    assert "ready: sip:bot@localhost" in printed
    assert (data / "gateway.db").stat().st_uid == USER


@pytest.mark.peer("buildah")
@pytest.mark.timeout(900)
def test_the_image_has_licences_and_no_compiler(
    builder: ImageBuilder, image: str, data: Path
) -> None:
    notices = "/usr/share/doc/sip-message-gateway"
    with builder.container(image) as container:
        listed = builder.run(container, "cat", f"{notices}/DEPENDENCIES", data=data)
        notice = builder.run(container, "cat", f"{notices}/NOTICE", data=data)
        licence = builder.run(container, "head", "-2", f"{notices}/LICENSE", data=data)
        tools = builder.run(container, "sh", "-c", "which cc gcc pip git || true", data=data)

    pjsip = next(line for line in listed.splitlines() if line.startswith("pjsua2-python "))
    assert pjsip.split()[1].rstrip(":") in notice
    assert "github.com/pjsip/pjproject" in notice
    assert "asyncpg" in listed
    assert "Version 3" in licence
    assert tools == ""


@pytest.mark.peer("buildah")
@pytest.mark.timeout(900)
def test_the_registrar_of_the_image_takes_the_configuration(
    builder: ImageBuilder, data: Path
) -> None:
    builder.build("docker/kamailio.Dockerfile", "docker", REGISTRAR_IMAGE)
    for file in ("kamailio.cfg", "dispatcher.list"):
        shutil.copy(DOCKER / file, data)
    program, *_ = builder.configuration(REGISTRAR_IMAGE)["Entrypoint"]
    check = (program, "-c", "-f", "/data/kamailio.cfg")
    with builder.container(REGISTRAR_IMAGE) as container:
        builder.run(container, *check, data=data)
        builder.run(container, *check, "-A", f'GATEWAYS="{LISTED}"', data=data)
        user = builder.run(container, "id", "-u", data=data)
    builder.remove(REGISTRAR_IMAGE)

    assert user.strip() != "0"


def test_the_dispatcher_has_the_gateways_of_the_compose_file() -> None:
    compose = (DOCKER / "compose.nodes.yaml").read_text()
    addresses = re.findall(r"ipv4_address: (\S+)", compose)

    listed = re.findall(r"(?m)^1 sip:(\S+):5070$", (DOCKER / "dispatcher.list").read_text())

    assert len(listed) == 3
    assert listed == addresses


@pytest.mark.parametrize("name", ["compose.yaml", "compose.nodes.yaml"])
def test_what_a_compose_file_names_is_there(name: str) -> None:
    named = re.findall(
        r"(?:file|dockerfile): (?:docker/|\./)?(\S+)", (DOCKER / name).read_text()
    )

    made = {"secrets/bot", "secrets/postgres", "secrets/subscriber"}

    assert named
    assert [file for file in named if file not in made and not (DOCKER / file).is_file()] == []


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "kamailio.Dockerfile"])
@pytest.mark.peer("hadolint")
def test_hadolint_has_nothing_to_say(dockerfile: str) -> None:
    done = subprocess.run(
        [HADOLINT, "--no-color", str(DOCKER / dockerfile)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.peer("kamailio", "postgresql")
async def test_the_gateway_is_an_extension_of_that_registrar(
    tmp_path: Path, postgresql: PostgreSql
) -> None:
    made = Composition(tmp_path / "secrets")
    database = postgresql.create_guarded_database(made.guarded())
    with Kamailio(made.registrar) as kamailio:
        async with (
            GatewayProcess(tmp_path / "gateway", made.gateway(kamailio, database)) as gateway,
            SipUserAgent("101", kamailio.port, password=made.password("101")) as anna,
        ):
            await gateway.registered()
            await anna.register()

            assert (await anna.ask("bot", "history")).startswith("OK history")

            anna.uri = f"sip:102@{DOMAIN}"
            assert await anna.send("bot", "whoami") == 403


@pytest.mark.peer("kamailio")
async def test_that_registrar_takes_no_wrong_password(tmp_path: Path) -> None:
    made = Composition(tmp_path / "secrets")
    with Kamailio(made.registrar) as kamailio:
        async with SipUserAgent("101", kamailio.port, password="guessed") as anna:
            status = await anna.request(
                "REGISTER",
                f"sip:{DOMAIN}",
                to=anna.uri,
                extra=(("Contact", f"<sip:101@{anna.host_port}>"),),
            )

            assert status == 401
            assert await anna.send("102", "hello") == 407


def test_secrets_that_are_there_are_kept(tmp_path: Path) -> None:
    first = Composition(tmp_path / "secrets").password("101")

    assert Composition(tmp_path / "secrets").password("101") == first
