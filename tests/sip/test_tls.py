"""SIP over TLS: whom the gateway trusts, what it accepts, what it keeps."""

import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from pydantic import SecretStr

from gateway.config import Account
from gateway.errors import AlreadyRunning, ConfigError
from gateway.sip.user_agent import UserAgent
from gateway.tls import server_context
from tests.certificates import Authority, Certificate
from tests.peers.gateway_process import eventually
from tests.sip.conftest import Received, Returned, delivery
from tests.sip.peer import HOST, Packet, Peer, ask_over_tcp, challenged, message, read_packet

assert sys.platform != "win32"  # its SIP library has no TLS

pytestmark = [pytest.mark.timeout(90), pytest.mark.peer("openssl")]

Make = Callable[..., AbstractAsyncContextManager[UserAgent]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls") / "authority")


@pytest.fixture(scope="module")
def own(authority: Authority) -> Certificate:
    """The gateway's certificate."""
    return authority.issue(HOST)


@pytest.fixture
async def registrar(authority: Authority) -> AsyncIterator[Peer]:
    async with secure_peer(authority.issue("localhost", HOST)) as peer:
        yield peer


def secure_peer(certificate: Certificate) -> Peer:
    """A registrar that is reached over TLS."""
    context = server_context("test", certificate.certificate, certificate.private_key)
    return Peer(context, REGISTER=challenged("bot", "secret"))


def files(authority: Authority, own: Certificate) -> dict[str, object]:
    return {
        "tls_port": 0,
        "tls_ca": authority.certificate,
        "tls_certificate": own.certificate,
        "tls_private_key": own.private_key,
    }


def registered_at(registrar: str) -> Account:
    return Account(
        name="bot",
        uri="sip:bot@office.test",
        registrar=registrar,
        username="bot",
        password=SecretStr("secret"),
    )


def client(
    authority: Authority, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.set_ciphers("ALL:@SECLEVEL=0")  # else this side would refuse before the gateway
    context.minimum_version = context.maximum_version = version
    return context


def tls_port(user_agent: UserAgent) -> int:
    port = user_agent.tls_port
    assert port
    return port


@pytest.mark.parametrize("form", ["sip:{host};transport=tls", "sips:{host}"])
async def test_an_account_registers_and_sends_by_its_registrar_alone(
    make: Make,
    registrar: Peer,
    returned: Returned,
    authority: Authority,
    own: Certificate,
    form: str,
) -> None:
    account = registered_at(form.format(host=f"{HOST}:{registrar.port}"))

    async with make(account, **files(authority, own)) as user_agent:
        await returned.next()
        register = await registrar.next("REGISTER")
        final = await user_agent.send(
            delivery(registrar, to_uri="sip:101@office.test", target="sip:101@office.test")
        )
        sent = await registrar.next("MESSAGE")

    assert register.header("Via").startswith("SIP/2.0/TLS")
    assert final.status_code == 200
    assert (sent.transport, sent.body) == ("TLS", b"hi there")
    assert sent.start_line == "MESSAGE sip:101@office.test SIP/2.0"


@pytest.fixture(params=["stranger", "other-name"])
def impostor(
    request: pytest.FixtureRequest, authority: Authority, tmp_path: Path
) -> tuple[Certificate, str]:
    """A certificate that proves nothing, with PJSIP's words for why."""
    if request.param == "stranger":
        return Authority(tmp_path / "stranger").issue(HOST), "untrusted"
    return authority.issue("other.example"), "identity does not match"


async def test_a_server_that_cannot_prove_itself_gets_nothing(
    make: Make,
    authority: Authority,
    own: Certificate,
    caplog: pytest.LogCaptureFixture,
    impostor: tuple[Certificate, str],
) -> None:
    certificate, reason = impostor
    async with secure_peer(certificate) as registrar:
        account = registered_at(f"sip:{HOST}:{registrar.port};transport=tls")

        async with make(account, **files(authority, own)) as user_agent:

            async def refused() -> str:
                states = {part.part: part for part in await user_agent.health()}
                state = states["registration:bot"]
                return state.detail if "verification" in state.detail else ""

            health = await eventually(refused)

        assert registrar.requests.empty()
    assert health.startswith("503 SSL certificate verification error")
    told = [r.message for r in caplog.records if r.levelno == logging.ERROR]
    assert len(told) == 1
    assert reason in told[0]
    assert "[sip] tls_ca" in told[0]


async def test_a_message_is_acknowledged_and_kept(
    make: Make, received: Received, authority: Authority, own: Certificate
) -> None:
    async with make(**files(authority, own)) as user_agent:
        port = tls_port(user_agent)
        raw = message("over TLS", via_port=port, transport="TLS")

        answer = await ask_over_tcp(raw, port, tls=client(authority))
        (request,) = await received.count(1)

    assert answer is not None
    assert answer.status_code == 200
    assert (request.transport, request.text) == ("TLS", "over TLS")
    assert request.source.startswith(f"{HOST}:")


async def test_what_was_acknowledged_over_tls_survives_kill_9(
    make: Make, received: Received, authority: Authority, own: Certificate
) -> None:
    async with make(**files(authority, own)) as user_agent:
        port, pid = tls_port(user_agent), user_agent.engine_pid
        assert pid is not None
        reader, writer = await asyncio.open_connection(HOST, port, ssl=client(authority))
        raw = b"".join(
            message(str(number), via_port=port, transport="TLS") for number in range(50)
        )
        received.failures = 1_000

        writer.write(raw)
        answers = [await read_packet(reader) for _ in range(50)]
        os.kill(pid, signal.SIGKILL)
        received.failures = 0
        requests = await received.count(50)
        again = await persist_over_tls(message("after", via_port=port), port, authority)
        writer.close()

    assert all(answer is not None and b" 200 OK" in answer for answer in answers)
    assert sorted(r.text for r in requests[:50]) == sorted(str(n) for n in range(50))
    assert again.status_code == 200  # the same port, though the old connection is still known


async def persist_over_tls(raw: bytes, port: int, authority: Authority) -> Packet:
    async with asyncio.timeout(10):
        while True:
            try:
                answer = await ask_over_tcp(raw, port, tls=client(authority))
            except OSError:
                continue
            if answer is not None:
                return answer


async def test_who_wrote_over_tls_is_answered_on_the_same_connection(
    make: Make, received: Received, peer: Peer, authority: Authority, own: Certificate
) -> None:
    async with make(**files(authority, own)) as user_agent:
        port = tls_port(user_agent)
        reader, writer = await asyncio.open_connection(HOST, port, ssl=client(authority))
        writer.write(message("ping", via_port=port, transport="TLS"))
        await read_packet(reader)
        (request,) = await received.count(1)
        target = f"sip:101@{request.source};transport=tls"

        sending = asyncio.create_task(
            user_agent.send(delivery(peer, to_uri="sip:101@127.0.0.1", target=target))
        )
        reply = Packet(await read_packet(reader) or b"", "TLS")
        sending.cancel()
        writer.close()

    assert reply.start_line == f"MESSAGE {target} SIP/2.0"


@pytest.mark.parametrize(
    ("version", "ciphers"),
    [
        pytest.param(ssl.TLSVersion.TLSv1, "ALL:@SECLEVEL=0", id="1.0"),
        pytest.param(ssl.TLSVersion.TLSv1_1, "ALL:@SECLEVEL=0", id="1.1"),
        pytest.param(ssl.TLSVersion.TLSv1_2, "kRSA:@SECLEVEL=0", id="no-forward-secrecy"),
        pytest.param(ssl.TLSVersion.TLSv1_2, "SHA1:@SECLEVEL=0", id="cbc"),
        pytest.param(ssl.TLSVersion.TLSv1_2, "aNULL:@SECLEVEL=0", id="no-certificate"),
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_weak_tls_is_refused(
    make: Make, authority: Authority, own: Certificate, version: ssl.TLSVersion, ciphers: str
) -> None:
    weak = client(authority, version)
    weak.set_ciphers(ciphers)
    async with make(**files(authority, own)) as user_agent:
        port = tls_port(user_agent)

        with pytest.raises(OSError):  # noqa: PT011  the handshake ends in one way or another
            await ask_over_tcp(message(via_port=port), port, tls=weak)

        assert await ask_over_tcp(message(via_port=port), port, tls=client(authority))


async def test_who_connects_and_says_nothing_is_hung_up_on(
    make: Make, authority: Authority, own: Certificate
) -> None:
    async with make(**files(authority, own)) as user_agent:
        reader, writer = await asyncio.open_connection(HOST, tls_port(user_agent))

        async with asyncio.timeout(30):
            said = await reader.read()
        writer.close()

    assert said == b""


async def test_without_a_certificate_tls_goes_outward_only(
    make: Make, registrar: Peer, returned: Returned, authority: Authority
) -> None:
    account = registered_at(f"sip:localhost:{registrar.port};transport=tls")
    settings = {"tls_port": 0, "tls_ca": authority.certificate, "udp_port": False}

    async with make(account, **settings, tcp_port=False) as user_agent:
        await returned.next()
        port = tls_port(user_agent)
        with pytest.raises(OSError):  # noqa: PT011  as above
            await ask_over_tcp(message(via_port=port), port, tls=client(authority))


async def test_files_that_are_no_certificate_are_named(
    make: Make, authority: Authority, own: Certificate, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing")
    good = files(authority, own)

    for key, path, words in (
        ("tls_certificate", broken, "[sip] tls_certificate"),
        ("tls_private_key", authority.issue("other").private_key, "belongs to the certificate"),
        ("tls_private_key", tmp_path / "absent", "No such file"),
        ("tls_ca", broken, "[sip] tls_ca"),
    ):
        with pytest.raises(ConfigError) as caught:
            async with make(**{**good, key: path}):
                pass
        assert words in str(caught.value)


async def test_a_taken_tls_port_is_named(
    make: Make, authority: Authority, own: Certificate
) -> None:
    with socket.create_server((HOST, 0)) as holder:
        port = holder.getsockname()[1]

        with pytest.raises(AlreadyRunning, match=f"TLS port {port} is taken"):
            async with make(**{**files(authority, own), "tls_port": port}):
                pass
