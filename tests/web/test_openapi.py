"""The OpenAPI document says what the server does."""

import re
from collections.abc import Iterator
from typing import Any

from tests.web.conftest import Api, Office


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value
            yield from references(value)
    if isinstance(node, list):
        for item in node:
            yield from references(item)


async def document(api: Api) -> dict[str, Any]:
    content: dict[str, Any] = (await api.get("/openapi.json", token=None)).json
    return content


async def test_every_route_is_in_the_document_with_nothing_else(office: Office) -> None:
    described = await document(office.api)

    operations = {
        (method.upper(), path) for path, item in described["paths"].items() for method in item
    }
    assert described["openapi"].startswith("3.1")
    assert operations == {(route.method, route.path) for route in office.server.routes}


async def test_every_reference_leads_somewhere(api: Api) -> None:
    described = await document(api)

    for reference in references(described):
        node: Any = described
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        assert node


async def test_each_operation_says_what_it_needs(office: Office) -> None:
    described = await document(office.api)

    names = set()
    for route in office.server.routes:
        operation = described["paths"][route.path][route.method.lower()]
        names.add(operation["operationId"])
        in_path = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
        assert in_path == re.findall(r"\{(\w+)\}", route.path)
        assert ("requestBody" in operation) == (route.request is not None)
        assert operation["security"] == ([{"bearer": []}] if route.scopes else [])
        assert all(scope in operation.get("description", "") for scope in route.scopes)
        assert str(route.status) in operation["responses"]
    assert len(names) == len(office.server.routes)


async def test_an_answer_with_another_status_is_described_too(api: Api) -> None:
    paths = (await document(api))["paths"]

    send, ready = paths["/v1/messages"]["post"], paths["/readyz"]["get"]
    assert {code for code in send["responses"] if code < "300"} == {"200", "202"}
    assert set(ready["responses"]) == {"200", "400", "503"}
    assert "content" in ready["responses"]["503"]


async def test_the_problems_of_each_route_are_described(api: Api) -> None:
    paths = (await document(api))["paths"]

    statuses = {
        path: {code for code in paths[path][method]["responses"] if code >= "300"}
        for path, method in (
            ("/v1/messages", "get"),
            ("/v1/messages/{id}/cancel", "post"),
            ("/v1/phone/{verb}", "post"),
            ("/v1/hooks/{key}", "post"),
            ("/healthz", "get"),
        )
    }
    of_a_token = {"400", "401", "403", "429", "503"}
    assert statuses == {
        "/v1/messages": of_a_token,
        "/v1/messages/{id}/cancel": of_a_token | {"404", "409", "413", "415", "422"},
        "/v1/phone/{verb}": of_a_token | {"404", "409", "413", "415", "422", "502", "504"},
        "/v1/hooks/{key}": of_a_token | {"404", "413", "415"},
        "/healthz": {"400"},
    }


async def test_headers_that_mean_something_are_described(api: Api) -> None:
    paths = (await document(api))["paths"]

    headers = {
        path: {p["name"] for p in paths[path]["post"]["parameters"] if p["in"] == "header"}
        for path in ("/v1/messages", "/v1/hooks/{key}", "/v1/commands")
    }
    assert headers == {
        "/v1/messages": {"Idempotency-Key", "Prefer"},
        "/v1/hooks/{key}": {"X-Timestamp", "X-Signature-256"},
        "/v1/commands": {"Idempotency-Key"},
    }


async def test_a_webhook_is_described_as_any_object(api: Api) -> None:
    described = await document(api)

    operation = described["paths"]["/v1/hooks/{key}"]["post"]
    schema = described["components"]["schemas"]["HookDocument"]
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/HookDocument"
    }
    assert schema["additionalProperties"] is True
    assert set(schema["properties"]) == {"text", "to", "id"}
    assert "required" not in schema
    assert "Authorization: Bearer" in operation["description"]


async def test_bodies_are_described_as_they_are_read(api: Api) -> None:
    schemas = (await document(api))["components"]["schemas"]

    request = schemas["MessageRequest"]
    assert request["additionalProperties"] is False
    assert set(request["required"]) == {"to", "text"}
    assert set(request["properties"]) >= {"from", "ttl", "send_at", "client_ref", "tags"}
    assert request["properties"]["text"]["maxLength"] == 16_000
    assert "SIP URI" in request["properties"]["to"]["description"]


async def test_a_message_has_the_members_that_are_described(office: Office) -> None:
    schema = (await document(office.api))["components"]["schemas"]["MessageView"]
    message_id = await office.send()

    message = (await office.api.get(f"/v1/messages/{message_id}")).json

    assert set(message) == set(schema["properties"]) == set(schema["required"])


async def test_an_error_has_a_pointer_or_the_name_of_a_parameter(api: Api) -> None:
    schema = (await document(api))["components"]["schemas"]["FieldError"]

    assert set(schema["properties"]) == {"pointer", "parameter", "detail"}
    assert schema["required"] == ["detail"]


async def test_query_parameters_are_described_without_references(api: Api) -> None:
    operation = (await document(api))["paths"]["/v1/messages"]["get"]

    parameters = {p["name"]: p["schema"] for p in operation["parameters"]}
    assert set(parameters) == {
        *("q", "peer", "direction", "status", "since", "until"),
        *("limit", "cursor", "order"),
    }
    assert list(references(parameters)) == []
    assert "midnight UTC" in parameters["since"]["description"]
    assert "midnight UTC" in parameters["until"]["description"]
    assert parameters["order"]["enum"] == ["desc", "asc"]
