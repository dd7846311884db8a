"""Whatever ends the engine, what was answered 200 reaches the handler."""

import asyncio
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from gateway.errors import AlreadyRunning, ConfigError
from gateway.sip.opening import JOURNAL
from gateway.sip.user_agent import UserAgent
from tests.sip.conftest import Received
from tests.sip.peer import HOST, Peer, message

assert sys.platform != "win32"  # SIGKILL

pytestmark = pytest.mark.timeout(90)

Make = Callable[..., AbstractAsyncContextManager[UserAgent]]


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def kill(user_agent: UserAgent) -> None:
    pid = user_agent.engine_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


async def test_a_killed_engine_is_back_in_two_seconds_on_the_same_ports(
    user_agent: UserAgent, peer: Peer, received: Received, caplog: pytest.LogCaptureFixture
) -> None:
    ports = user_agent.udp_port, user_agent.tcp_port
    assert ports[0]
    _, writer = await asyncio.open_connection(HOST, ports[1])  # a port that stays in use

    kill(user_agent)
    answer = await peer.persist(message("after", via_port=peer.port), ports[0], within=2)

    writer.close()
    assert (user_agent.udp_port, user_agent.tcp_port) == ports
    assert "ended with code -9; it is started again" in caplog.text
    assert answer.status_code == 200
    assert [request.text for request in await received.count(1)] == ["after"]


async def test_everything_acknowledged_survives_kill_9(
    user_agent: UserAgent, peer: Peer, received: Received
) -> None:
    assert user_agent.udp_port
    for _ in range(3):
        for number in range(100):
            peer.send(message(str(number), via_port=peer.port), user_agent.udp_port)
        for _ in range(50):
            await peer.final()
        kill(user_agent)  # the rest is in a socket, in the engine, or on its way back
        await peer.persist(message("end", via_port=peer.port), user_agent.udp_port, within=3)

    await received.all_of(peer.acknowledged)

    assert len(peer.acknowledged) > 150
    call_ids = [request.call_id for request in received.requests]
    assert len(call_ids) == len(set(call_ids))


async def test_a_burst_waits_at_the_port_of_an_engine_that_has_no_time(
    user_agent: UserAgent, peer: Peer, received: Received
) -> None:
    """A port as the system opens it has room for half of these."""
    assert user_agent.udp_port
    assert user_agent.engine_pid is not None
    os.kill(user_agent.engine_pid, signal.SIGSTOP)
    for number in range(300):
        peer.send(message(str(number), via_port=peer.port), user_agent.udp_port)

    os.kill(user_agent.engine_pid, signal.SIGCONT)

    requests = await received.count(300)
    assert {request.text for request in requests} == {str(number) for number in range(300)}


async def test_an_unwritable_journal_keeps_the_ports_closed(
    make: Make, data_dir: Path, peer: Peer, received: Received
) -> None:
    (data_dir / JOURNAL).write_text("this is no folder")

    port = free_port()
    raw = message("now", via_port=peer.port)

    async with make(udp_port=port) as user_agent:
        health = {part.part: part for part in await user_agent.health()}
        peer.send(raw, port)
        unanswered = await peer.is_silent(0.5)
        (data_dir / JOURNAL).unlink()
        answer = await peer.persist(raw, port, within=12)
        await received.count(1)

    assert unanswered
    assert not health["sip_engine"].ok
    assert not health["journal"].ok
    assert health["journal"].detail.startswith("journal_unwritable")
    assert JOURNAL in health["journal"].detail
    assert answer.status_code == 200


async def test_no_200_leaves_while_an_append_fails(
    user_agent: UserAgent, data_dir: Path, peer: Peer, received: Received
) -> None:
    assert user_agent.udp_port
    assert user_agent.engine_pid
    pid = user_agent.engine_pid
    raw = message("not yet", via_port=peer.port)
    # No file may grow: a segment cannot be begun, nor the one there be written to.
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, 0))

    peer.send(raw, user_agent.udp_port)
    unanswered = await peer.is_silent(2)
    died = user_agent.engine_pid != pid
    answer = await peer.persist(raw, user_agent.udp_port, within=12)

    assert unanswered
    assert died
    assert answer.status_code == 200
    assert [request.text for request in await received.count(1)] == ["not yet"]


async def test_what_was_journalled_before_the_gateway_died_is_handed_on(
    make: Make, peer: Peer, received: Received
) -> None:
    received.failures = 1_000
    async with make() as user_agent:
        assert user_agent.udp_port
        await peer.ask(message("kept", via_port=peer.port), user_agent.udp_port)
    received.failures = 0

    async with make():
        requests = await received.count(1)

    assert [request.text for request in requests] == ["kept"]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_taken_port_is_named_with_its_remedy(make: Make, transport: str) -> None:
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind((HOST, 0))
        if transport == "tcp":
            holder.listen()
        port = holder.getsockname()[1]

        with pytest.raises(AlreadyRunning) as caught:
            async with make(**{f"{transport}_port": port}):
                pass

    assert f"{transport.upper()} port {port} is taken" in str(caught.value)
    assert f"[sip] {transport}_port" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bind": "203.0.113.77"}, "[sip] bind"),
        ({"bind": "localhost"}, "no IPv4 address"),
        ({"bind": "::1"}, "is IPv6"),
        ({"udp_port": False, "tcp_port": False}, "no SIP transport"),
    ],
    ids=["foreign-address", "host-name", "ipv6", "no-transport"],
)
async def test_settings_that_cannot_work_say_which(
    make: Make, settings: dict[str, object], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ConfigError) as caught:
        async with make(**settings):
            pass

    assert words in str(caught.value)
    assert "started again" not in caplog.text
