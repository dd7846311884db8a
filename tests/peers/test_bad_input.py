"""A gateway that cannot start says why, what to do, and changes nothing."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.peers.gateway_process import GatewayProcess

pytestmark = [pytest.mark.timeout(180)]


@contextmanager
def taken(port: int, kind: socket.SocketKind) -> Iterator[None]:
    with socket.socket(type=kind) as holder:
        holder.bind(("127.0.0.1", port))
        if kind is socket.SOCK_STREAM:
            holder.listen()
        yield


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
async def test_a_taken_sip_port_is_named(tmp_path: Path, kind: socket.SocketKind) -> None:
    gateway = GatewayProcess(tmp_path)

    with taken(gateway.sip_port, kind):
        ended = await gateway.run_to_end()

    assert ended.exit_code == 1
    assert str(gateway.sip_port) in ended.output
    assert "Traceback" not in ended.output


async def test_a_taken_http_port_is_named(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path)

    with taken(gateway.http_port, socket.SOCK_STREAM):
        ended = await gateway.run_to_end()

    assert ended.exit_code == 1
    assert str(gateway.http_port) in ended.output
    assert "Traceback" not in ended.output


async def test_a_second_gateway_on_the_same_folder_does_not_start(tmp_path: Path) -> None:
    async with GatewayProcess(tmp_path / "first") as first:
        second = GatewayProcess(tmp_path / "second")
        text = second.configuration.read_text()
        second.configuration.write_text(text.replace(str(second.data_dir), str(first.data_dir)))

        ended = await second.run_to_end()

        assert ended.exit_code == 1
        assert str(first.data_dir) in ended.output
        assert str(first.pid) in ended.output
        assert "Traceback" not in ended.output
        assert await first.history() == []  # the first one is untouched


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param(b"[sip\nudp_port = 1", "TOML", id="not TOML"),
        pytest.param(b'data_dir = "\xff\xfe"', "UTF-8", id="not UTF-8"),
        pytest.param(b"[sip]\nudp_prot = 5070", "udp_port", id="unknown key"),
        pytest.param(b"[sipp]\nudp_port = 5070", "sip", id="unknown section"),
        pytest.param(b"[sip]\nudp_port = 70000", "sip.udp_port", id="port out of range"),
        pytest.param(b'[http]\nport = "high"', "http.port", id="wrong type"),
        pytest.param(b'[delivery]\nmessage_ttl = "soon"', "72h", id="no duration"),
        pytest.param(
            b'[[sip.accounts]]\nname = "a"\nuri = "mailto:a@b"', "sip.accounts", id="no SIP URI"
        ),
    ],
)
async def test_a_bad_configuration_is_explained(
    tmp_path: Path, content: bytes, named: str
) -> None:
    gateway = GatewayProcess(tmp_path)
    gateway.configuration.write_bytes(content)

    ended = await gateway.run_to_end()

    assert ended.exit_code == 2
    assert str(gateway.configuration) in ended.output
    assert named in ended.output
    assert "Traceback" not in ended.output


@pytest.mark.parametrize("name", ["absent.toml", "a-folder"])
async def test_an_unreadable_configuration_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "a-folder").mkdir()
    gateway = GatewayProcess(tmp_path)

    ended = await gateway.run_to_end("--config", str(tmp_path / name))

    assert ended.exit_code == 2
    assert str(tmp_path / name) in ended.output
    assert "Traceback" not in ended.output


@pytest.mark.parametrize("place", ["occupied/by a file", "/proc/gateway"])
async def test_an_unwritable_data_folder_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "occupied").write_text("a file")
    folder = tmp_path / place
    gateway = GatewayProcess(tmp_path / "gateway")
    text = gateway.configuration.read_text()
    gateway.configuration.write_text(text.replace(str(gateway.data_dir), str(folder)))

    ended = await gateway.run_to_end()

    assert ended.exit_code in (1, 2)
    assert str(folder) in ended.output
    assert "Traceback" not in ended.output


async def test_a_database_of_a_newer_revision_is_left_alone(tmp_path: Path) -> None:
    async with GatewayProcess(tmp_path) as gateway:
        assert await gateway.stop() == 0
    with closing(sqlite3.connect(gateway.data_dir / "gateway.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")

    ended = await gateway.run_to_end()

    assert ended.exit_code == 2
    assert "newer" in ended.output
    assert "Traceback" not in ended.output
