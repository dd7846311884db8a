"""The HTTP client of the command line, with the address it finds."""

import asyncio
import socket
import stat
import sys
from pathlib import Path

import pytest
from aiohttp import web

from gateway.message import Status
from gateway.phone import Problem
from gateway.web.client import (
    GatewayClient,
    GatewayUnreachable,
    NoAnswer,
    RequestRefused,
    call_gateway,
)
from gateway.web.local import (
    FILE_NAME,
    LocalAccess,
    read_local_access,
    remove_local_access,
    write_local_access,
)
from tests.web.conftest import ALL, Office

ACCESS = LocalAccess("http://127.0.0.1:8765", "secret-token")


def client(office: Office, token: str = ALL) -> GatewayClient:
    return GatewayClient(LocalAccess(office.server.url, token))


async def test_a_message_is_sent_waited_for_then_found(office: Office) -> None:
    office.wait.status = Status.DELIVERED

    async with client(office) as gateway:
        sent = await gateway.send("101", "hello", wait=3)
        found = await gateway.message(sent["id"])
        page = await gateway.history("hello", limit=5)

    assert (sent["status"], found["id"]) == ("delivered", sent["id"])
    assert [message["id"] for message in page["items"]] == [sent["id"]]
    assert office.wait.asked == [3]


async def test_the_same_message_sent_twice_is_two_unless_it_has_a_key(office: Office) -> None:
    async with client(office) as gateway:
        for key in ("", "", "order-17", "order-17"):
            await gateway.send("101", "hello", idempotency_key=key)
        page = await gateway.history()

    assert len(page["items"]) == 3


async def test_the_phone_is_driven(office: Office) -> None:
    async with client(office) as gateway:
        status = await gateway.phone_status()
        dialled = await gateway.phone("dial", "1002")
        closed = await gateway.phone("Close", confirm=True)
        answered = await gateway.command("ping")

    assert status["state"]["value"] == "idle"
    assert (dialled["argument"], closed["verb"]) == ("1002", "close")
    assert answered["reply"][0] == "OK ping"


async def test_a_refusal_is_told_in_words(office: Office) -> None:
    async with client(office) as gateway:
        with pytest.raises(RequestRefused) as caught:
            await gateway.send("1 0 1", "hello")

    assert caught.value.status == 400
    assert caught.value.code == "invalid_request"
    assert "/to:" in str(caught.value)


async def test_a_wrong_parameter_is_named_in_words(office: Office) -> None:
    async with client(office) as gateway:
        with pytest.raises(RequestRefused, match=r"\n  q: is:lost is no status"):
            await gateway.history("is:lost")


async def test_a_phone_problem_has_its_code(office: Office) -> None:
    office.phone.problem = Problem.NOT_RUNNING

    async with client(office) as gateway:
        with pytest.raises(RequestRefused, match="said by the fake") as caught:
            await gateway.phone("hangup")

    assert caught.value.code == "phone_not_running"


async def test_without_a_gateway_the_user_is_told_how_to_start_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    async with GatewayClient(LocalAccess(f"http://127.0.0.1:{port}", "x")) as gateway:
        with pytest.raises(GatewayUnreachable, match="sip-gateway run"):
            await gateway.phone_status()


async def test_a_gateway_that_ends_while_it_is_asked_may_have_done_it() -> None:
    async def end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"dial")
        writer.close()

    server = await asyncio.start_server(end, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async with server, GatewayClient(LocalAccess(f"http://127.0.0.1:{port}", "x")) as gateway:
        with pytest.raises(NoAnswer, match="may have been carried out"):
            await gateway.phone("dial", "1002")


async def test_another_server_on_the_port_is_no_gateway() -> None:
    async def teapot(request: web.Request) -> web.Response:
        return web.Response(status=418, text="<html>")

    application = web.Application()
    application.router.add_get("/v1/phone", teapot)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    async with GatewayClient(LocalAccess(url, "x")) as gateway:
        with pytest.raises(RequestRefused, match="HTTP 418"):
            await gateway.phone_status()

    await runner.cleanup()


def test_without_a_file_there_is_no_gateway_to_call(tmp_path: Path) -> None:
    with pytest.raises(GatewayUnreachable, match="sip-gateway run"):
        call_gateway(tmp_path, GatewayClient.phone_status)


def test_a_stale_file_leads_to_no_gateway(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    write_local_access(tmp_path, LocalAccess(f"http://127.0.0.1:{port}", "x"))

    with pytest.raises(GatewayUnreachable, match="is the gateway running"):
        call_gateway(tmp_path, GatewayClient.phone_status)


def test_the_address_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_local_access(tmp_path, LocalAccess("http://127.0.0.1:1", "old"))
    write_local_access(tmp_path, ACCESS)

    assert read_local_access(tmp_path) == ACCESS
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]


def test_the_token_is_for_this_user_alone(tmp_path: Path) -> None:
    write_local_access(tmp_path, ACCESS)

    mode = stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode)
    assert sys.platform == "win32" or mode == 0o600
    assert "secret-token" not in repr(ACCESS)


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"url": "x"}', "\xff"])
def test_a_file_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_bytes(content.encode("latin-1"))

    assert read_local_access(tmp_path) is None


def test_a_removed_file_is_none(tmp_path: Path) -> None:
    write_local_access(tmp_path, ACCESS)

    remove_local_access(tmp_path)
    remove_local_access(tmp_path)

    assert read_local_access(tmp_path) is None
