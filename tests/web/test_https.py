"""HTTPS by files, and the command line's way in over it."""

import asyncio
import ssl
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, ClientSession

from gateway.config import Http
from gateway.errors import ConfigError
from gateway.store.database import Database
from gateway.web.client import GatewayClient, GatewayUnreachable
from gateway.web.local import LocalAccess
from tests.certificates import Authority, Certificate
from tests.web.test_server import server

pytestmark = pytest.mark.peer("openssl")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("https") / "authority")


@pytest.fixture(scope="module")
def own(authority: Authority) -> Certificate:
    """For the name by which others reach it, not for loopback."""
    return authority.issue("gateway.office.example")


def https(files: Certificate) -> Http:
    return Http(port=0, tls_certificate=files.certificate, tls_private_key=files.private_key)


async def test_who_trusts_the_authority_is_served(
    database: Database, authority: Authority, own: Certificate
) -> None:
    trusting = ssl.create_default_context(cafile=str(authority.certificate))
    trusting.check_hostname = False  # of the name above

    async with (
        server(database, https(own)) as running,
        ClientSession() as session,
        session.get(f"{running.url}/openapi.json", ssl=trusting) as response,
    ):
        status = response.status

    assert running.url.startswith("https://127.0.0.1:")
    assert status == 200


async def test_the_command_line_knows_the_gateway_by_its_certificate(
    database: Database, own: Certificate
) -> None:
    async with server(database, https(own)) as running:
        access = LocalAccess(running.url, "token", running.fingerprint)

        async with GatewayClient(access) as client:
            document = await client.get("/openapi.json")

    assert document["openapi"].startswith("3.1")


async def test_another_server_is_not_sent_the_token(
    database: Database, authority: Authority, own: Certificate
) -> None:
    async with server(database, https(authority.issue("localhost"))) as impostor:
        async with server(database, https(own)) as gateway:
            access = LocalAccess(impostor.url, "token", gateway.fingerprint)

        async with GatewayClient(access) as client:
            with pytest.raises(GatewayUnreachable, match="not sent the token"):
                await client.get("/openapi.json")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
async def test_old_tls_is_refused(
    database: Database, own: Certificate, version: ssl.TLSVersion
) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = version

    async with server(database, https(own)) as running, ClientSession() as session:
        with pytest.raises(ClientConnectionError):
            await session.get(f"{running.url}/openapi.json", ssl=old)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        async with session.get(f"{running.url}/openapi.json", ssl=old) as response:
            status = response.status

    assert status == 200


async def test_plain_http_at_the_https_port_ends_without_an_answer(
    database: Database, own: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    async with server(database, https(own)) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = await reader.read()
        writer.close()

        async with GatewayClient(LocalAccess(running.url, "", running.fingerprint)) as client:
            document = await client.get("/openapi.json")

    assert b"HTTP" not in answer
    assert document
    assert "Traceback" not in caplog.text


async def test_a_certificate_that_cannot_be_read_is_named(
    database: Database, own: Certificate, tmp_path: Path
) -> None:
    broken = Certificate(tmp_path / "absent.pem", own.private_key)

    with pytest.raises(ConfigError, match=r"\[http\] tls_certificate.*absent"):
        await server(database, https(broken)).__aenter__()
