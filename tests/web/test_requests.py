"""What every request meets: ids, sizes, hosts, methods, failures."""

import asyncio
from io import BytesIO

import pytest

from gateway.errors import ConflictError, GatewayError, PhoneError, StorageUnavailable
from tests.web.conftest import Api, Office


async def test_a_request_id_is_echoed(api: Api) -> None:
    reply = await api.get("/healthz", headers={"X-Request-Id": "order-17"})

    assert reply.headers["X-Request-Id"] == "order-17"


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "<script>"])
async def test_an_unusable_request_id_is_replaced(api: Api, sent: str) -> None:
    reply = await api.get("/healthz", headers={"X-Request-Id": sent})

    assert len(reply.headers["X-Request-Id"]) == 32


async def test_a_path_that_is_not_there_is_not_found(api: Api) -> None:
    reply = await api.get("/v2/messages")

    assert (reply.status, reply.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/messages", "GET, POST"),
        ("PUT", "/v1/phone", "GET"),
        ("GET", "/v1/phone/dial", "POST"),
    ],
)
async def test_another_method_is_told_which_there_are(
    api: Api, method: str, path: str, allowed: str
) -> None:
    reply = await api.request(method, path)

    assert (reply.status, reply.code) == (405, "method_not_allowed")
    assert reply.headers["Allow"] == allowed


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/commands", "/v1/hooks/open"])
async def test_two_mebibytes_are_too_large(api: Api, path: str) -> None:
    body = b'{"text": "' + b"x" * (2 * 1024 * 1024) + b'"}'

    reply = await api.post(
        path, data=BytesIO(body), headers={"Content-Type": "application/json"}
    )

    assert (reply.status, reply.code) == (413, "too_large")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "1.evil", "[::1"]
)
async def test_a_page_that_rebinds_its_name_to_loopback_gets_nothing(
    api: Api, host: str
) -> None:
    reply = await api.get("/v1/phone", headers={"Host": host})

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert "[http] allowed_hosts" in reply.json["detail"]


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8765", "localhost.", "127.0.0.1", "10.0.0.1", "[::1]:8765"]
)
async def test_an_address_or_loopbacks_name_is_served(api: Api, host: str) -> None:
    reply = await api.get("/v1/phone", headers={"Host": host})

    assert reply.status == 200


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        pytest.param(StorageUnavailable("disk"), 503, "storage_unavailable", id="storage"),
        pytest.param(ConflictError("not now"), 409, "conflict", id="conflict"),
        pytest.param(
            PhoneError("phone_not_running", "start it"), 503, "phone_not_running", id="phone"
        ),
        pytest.param(GatewayError("odd"), 500, "internal_error", id="unmapped"),
        pytest.param(ZeroDivisionError("secret detail"), 500, "internal_error", id="bug"),
    ],
)
async def test_a_failure_inside_becomes_a_problem_document(
    office: Office, failure: Exception, status: int, code: str
) -> None:
    office.commander.failure = failure

    reply = await office.api.post("/v1/commands", json={"text": "ping"})

    assert (reply.status, reply.code) == (status, code)
    assert "secret detail" not in reply.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/messages"),
        ("GET", "/v1/messages/msg_1/attempts"),
        ("GET", "/v1/phone"),
        ("POST", "/v1/phone/hangup"),
        ("POST", "/v1/commands"),
    ],
)
async def test_a_parameter_where_none_is_known_is_refused(
    office: Office, method: str, path: str
) -> None:
    body = {"to": "101", "text": "x"} if path == "/v1/messages" else {"text": "ping"}

    reply = await office.api.request(
        method, f"{path}?dry_run=1", json=body if method == "POST" else None
    )

    assert (reply.status, reply.code) == (400, "invalid_request")
    assert reply.json["errors"][0]["parameter"] == "dry_run"
    assert (office.phone.requests, office.commander.asked) == ([], [])


async def test_a_body_that_is_not_encoded_as_it_says_is_refused(api: Api) -> None:
    reply = await api.post(
        "/v1/messages",
        data=b"this is not gzip",
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    )

    assert (reply.status, reply.code) == (400, "invalid_request")


async def test_a_request_that_is_no_http_leaves_the_server_up(office: Office) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", office.server.port)
    writer.write(b"\x00\xff GARBAGE\r\n\r\n")
    await writer.drain()

    answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert b" 400 " in answer.splitlines()[0]
    assert (await office.api.get("/healthz")).status == 200


async def test_requests_are_counted_by_route_not_by_path(office: Office) -> None:
    await office.api.get("/v1/messages/msg_1")
    await office.api.get("/made/up")
    await office.api.request("PROPFIND", "/made/up")

    text = (await office.api.get("/metrics")).text

    assert 'route="/v1/messages/{id}",status="404"' in text
    assert 'method="GET",route="unmatched",status="404"' in text
    assert 'method="other",route="unmatched"' in text
    assert "msg_1" not in text


@pytest.mark.parametrize(
    "origin",
    [
        pytest.param("https://evil.example", id="another-site"),
        pytest.param("http://127.0.0.1:3000", id="another-port"),
        pytest.param("http://127.0.0.1.evil.example", id="another-domain"),
        pytest.param("null", id="null"),
        pytest.param("http://[", id="nonsense"),
    ],
)
async def test_a_page_of_another_site_changes_nothing(office: Office, origin: str) -> None:
    body = {"to": "101", "text": "forged"}

    for path, token in (("/v1/messages", "all"), ("/v1/hooks/open", None)):
        reply = await office.api.post(path, json=body, token=token, headers={"Origin": origin})
        assert (reply.status, reply.code) == (403, "not_allowed")

    page = await office.api.get("/v1/messages", headers={"Origin": origin})
    assert page.json["items"] == []


async def test_a_page_of_the_gateways_own_may(office: Office) -> None:
    origin = office.server.url.replace("http:", "https:")  # a proxy that speaks TLS before it

    reply = await office.api.post(
        "/v1/messages", json={"to": "101", "text": "hi"}, headers={"Origin": origin}
    )

    assert reply.status == 202
