"""Who is let in: tokens, scopes, limits, on every route."""

import logging

import pytest

from gateway.store.database import Database
from gateway.store.tokens import SqlTokens
from gateway.web.local import token_name
from gateway.web.route import Scope
from tests.web.conftest import Api, Office

OPEN = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/v1/version"),
    ("GET", "/openapi.json"),
    ("POST", "/v1/hooks/{key}"),
}
SCOPES = {
    ("POST", "/v1/messages"): {"messages:send"},
    ("GET", "/v1/messages"): {"messages:read"},
    ("GET", "/v1/messages/{id}"): {"messages:read"},
    ("GET", "/v1/messages/{id}/attempts"): {"messages:read"},
    ("POST", "/v1/messages/{id}/cancel"): {"messages:send"},
    ("POST", "/v1/messages/{id}/resend"): {"messages:send"},
    ("GET", "/v1/conversations"): {"messages:read"},
    ("GET", "/v1/conversations/{peer}/messages"): {"messages:read"},
    ("GET", "/v1/phone"): {"phone:read"},
    ("POST", "/v1/phone/{verb}"): {"phone:control"},
    ("POST", "/v1/commands"): {
        "messages:send",
        "messages:read",
        "phone:read",
        "phone:control",
        "admin",
    },
    ("GET", "/v1/commands"): {"admin"},
    ("GET", "/v1/calls"): {"phone:read"},
    ("GET", "/v1/calls/{id}"): {"phone:read"},
    ("GET", "/v1/hook-deliveries"): {"hooks:admin"},
    ("POST", "/v1/hook-deliveries/{id}/replay"): {"hooks:admin"},
    ("GET", "/v1/webhook-endpoints"): {"hooks:admin"},
    ("GET", "/v1/webhook-endpoints/{id}/deliveries"): {"hooks:admin"},
    ("POST", "/v1/webhook-endpoints/{id}/test"): {"hooks:admin"},
    ("POST", "/v1/webhook-endpoints/{id}/enable"): {"hooks:admin"},
    ("POST", "/v1/webhook-deliveries/{id}/replay"): {"hooks:admin"},
}
NAMES = {"id": "msg_" + "0" * 32, "peer": "101", "verb": "hangup", "key": "open"}


async def test_every_route_is_in_one_of_the_tables_here(office: Office) -> None:
    routes = {(route.method, route.path) for route in office.server.routes}

    assert routes == OPEN | SCOPES.keys()


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"Authorization": "Bearer wrong"}, id="unknown"),
        pytest.param({"Authorization": "Bearer"}, id="empty"),
        pytest.param({"Authorization": "Basic YWxsOmFsbA=="}, id="other-scheme"),
        pytest.param({"Authorization": "Bearer all all"}, id="two"),
        pytest.param({"Authorization": "Bearer " + "x" * 600}, id="long"),
    ],
)
async def test_without_a_valid_token_no_route_lets_anybody_in(
    api: Api, headers: dict[str, str]
) -> None:
    replies = [
        await api.request(method, path.format(**NAMES), token=None, headers=headers)
        for method, path in SCOPES
    ]

    assert {(reply.status, reply.code) for reply in replies} == {(401, "unauthenticated")}
    assert all(reply.headers["WWW-Authenticate"].startswith("Bearer") for reply in replies)


@pytest.mark.parametrize("header", ["", "Basic YWxsOmFsbA==", "Bearer", "Bearer all all"])
async def test_who_sends_no_bearer_token_is_told_to(api: Api, header: str) -> None:
    reply = await api.get("/v1/phone", token=None, headers={"Authorization": header})

    assert "send Authorization: Bearer TOKEN" in reply.json["detail"]
    assert "error=" not in reply.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("method", "path"), SCOPES)
async def test_a_token_opens_only_what_its_scope_is_for(
    office: Office, method: str, path: str
) -> None:
    body = {"to": "101", "text": "ping"} if path == "/v1/messages" else {"text": "ping"}
    body = {} if "{" in path else body
    options = {"json": body} if method == "POST" else {}

    let_in = set()
    for scope in Scope:
        reply = await office.api.request(
            method, path.format(**NAMES), token=scope.value, **options
        )
        if reply.status != 403:
            let_in.add(scope.value)
            continue
        assert reply.code == "forbidden_scope"
        assert "sip-gateway token create" in reply.json["detail"]

    assert let_in == SCOPES[method, path]


@pytest.mark.parametrize(("method", "path"), sorted(OPEN))
async def test_what_watches_the_gateway_needs_no_token(
    api: Api, method: str, path: str
) -> None:
    options = {"json": {"text": "x"}} if method == "POST" else {}

    reply = await api.request(method, path.format(**NAMES), token=None, **options)

    assert reply.status in {200, 202}


async def test_the_scheme_may_be_written_in_any_case(api: Api) -> None:
    reply = await api.get("/v1/phone", token=None, headers={"Authorization": "bearer all"})

    assert reply.status == 200


async def test_a_token_beyond_its_limit_waits_while_others_do_not(office: Office) -> None:
    replies = [await office.api.get("/v1/phone", token="phone:read") for _ in range(51)]

    assert [reply.status for reply in replies] == [200] * 50 + [429]
    assert replies[-1].code == "rate_limited"
    assert int(replies[-1].headers["Retry-After"]) > 0
    assert (await office.api.get("/v1/phone")).status == 200


async def test_the_log_has_a_line_without_body_query_or_credentials(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gateway")

    reply = await api.post("/v1/messages", json={"to": "101", "text": "confidential-body"})
    await api.get("/v1/messages?q=confidential-query", token="messages:read")

    assert f"POST /v1/messages {reply.status}" in caplog.text
    assert reply.headers["X-Request-Id"] in caplog.text
    assert "confidential" not in caplog.text
    assert "Bearer" not in caplog.text


@pytest.mark.parametrize(
    ("node", "status"),
    [pytest.param("", 200, id="this gateway"), pytest.param("pc-2", 401, id="another")],
)
async def test_the_token_of_commands_is_for_the_gateway_of_their_machine(
    office: Office, database: Database, node: str, status: int
) -> None:
    """Gateways that share a database share its tokens, but for these."""
    await SqlTokens(database=database).replace_token(
        token_name(node), frozenset(Scope), "secret"
    )

    answer = await office.api.get("/v1/phone", token="secret")

    assert answer.status == status
