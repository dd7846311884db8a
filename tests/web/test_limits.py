"""What a client may take: time, bytes, depth, and none of our secrets into the log."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from gateway.web.server import Waits
from tests.web.conftest import ALL, Office

SECRET = "se1f-made-t0ken"
POST = (
    f"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ALL}\r\n"
    "Content-Type: application/json\r\n"
)


@pytest.fixture
def waits() -> Waits:
    return Waits(head=0.3, body=0.3)


async def said(office: Office, request: str) -> bytes:
    """What the server answers; nothing when it just ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", office.server.port)
    writer.write(request.encode())
    try:
        async with asyncio.timeout(8):
            return await reader.read(65_536)
    finally:
        writer.close()


@pytest.mark.parametrize(
    "begun",
    ["", "POST /v1/mess", f"{POST}X-Slow: ", "GET /healthz HTTP/1.1\r\n"],
    ids=["nothing", "a path", "a header", "a line"],
)
async def test_a_head_that_does_not_end_ends_the_connection(office: Office, begun: str) -> None:
    answer = await said(office, begun)

    assert answer == b""


async def test_a_body_that_does_not_end_is_refused(office: Office) -> None:
    answer = await said(office, f'{POST}Content-Length: 50\r\n\r\n{{"to"')

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"the body was not there after 0.3 s" in answer


async def test_a_body_without_end_is_refused_once_it_is_too_large(office: Office) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * 65_536

    reply = await office.api.post(
        "/v1/messages", data=endless(), headers={"Content-Type": "application/json"}
    )

    assert (reply.status, reply.code) == (413, "too_large")


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/commands", "/v1/hooks/open"])
@pytest.mark.parametrize("opening", ["[", '{"text":'], ids=["lists", "objects"])
async def test_the_deepest_json_is_refused(office: Office, path: str, opening: str) -> None:
    reply = await office.api.post(
        path, data=opening * 100_000, headers={"Content-Type": "application/json"}
    )

    assert (reply.status, reply.code) == (400, "invalid_request")


@pytest.mark.parametrize("broken", ["\0", "\x01", "\r"], ids=["nul", "control", "half an end"])
async def test_a_malformed_header_is_not_logged(
    office: Office, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    caplog.set_level(logging.DEBUG)
    request = f"GET /v1/phone HTTP/1.1\r\nAuthorization: Bearer {SECRET}{broken}\r\n\r\n"

    answer = await said(office, request)

    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert SECRET not in caplog.text
