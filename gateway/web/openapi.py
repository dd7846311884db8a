"""The OpenAPI 3.1 document, made from the route table."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.version import VERSION
from gateway.web.problem import CONTENT_TYPE, Code, ProblemView
from gateway.web.route import JSON, QueryParameters, Route

Schema = dict[str, Any]

_REFERENCE = "#/components/schemas/{model}"
_PROBLEM = {"$ref": "#/components/responses/Problem"}


def openapi_document(routes: Sequence[Route]) -> Schema:
    """Describe every one of *routes*."""
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SIP MESSAGE gateway for MicroSIP",
            "version": VERSION,
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "responses": {
                "Problem": {
                    "description": "What went wrong (RFC 9457)",
                    "content": {CONTENT_TYPE: {"schema": _reference(ProblemView)}},
                }
            },
        },
    }


def _schemas(routes: Sequence[Route]) -> Schema:
    requests = {route.request for route in routes if route.request is not None}
    responses = {route.response for route in routes if route.response is not None}
    models: list[tuple[type[BaseModel], Any]] = [(ProblemView, "serialization")]
    models += [(model, "validation") for model in requests]
    models += [(model, "serialization") for model in responses]
    models.sort(key=lambda item: item[0].__name__)
    _, definitions = models_json_schema(models, ref_template=_REFERENCE)
    schemas: Schema = definitions["$defs"]
    return schemas


def _operation(route: Route) -> Schema:
    operation: Schema = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "parameters": [
            *_path_parameters(route),
            *_query_parameters(route.query),
            *_key(route),
            *_headers(route),
        ],
        "responses": {
            **{str(status): _PROBLEM for status in _refusals(route)},
            **{
                str(status): _answer(route)
                for status in (route.status, route.or_status)
                if status
            },
        },
        "security": [{"bearer": []}] if route.scopes else [],
    }
    needs = f"Needs a token with {' or '.join(route.scopes)}." if route.scopes else ""
    if description := " ".join(filter(None, (route.description, needs))):
        operation["description"] = description
    if route.request is not None:
        operation["requestBody"] = {"content": {JSON: {"schema": _reference(route.request)}}}
    return operation


def _refusals(route: Route) -> list[int]:
    """The statuses of its problem documents."""
    codes = {Code.INVALID_REQUEST, *route.problems}
    if route.scopes:
        codes |= {Code.UNAUTHENTICATED, Code.FORBIDDEN_SCOPE, Code.RATE_LIMITED}
    if route.scopes or route.request is not None:
        codes.add(Code.STORAGE_UNAVAILABLE)
    if "{" in route.path:
        codes.add(Code.NOT_FOUND)
    if route.method == "POST":  # of a web page, too large, or no JSON
        codes |= {Code.NOT_ALLOWED, Code.TOO_LARGE, Code.UNSUPPORTED_MEDIA}
    if route.takes_key:
        codes |= {Code.CONFLICT, Code.IDEMPOTENCY_MISMATCH}
    return sorted({code.status for code in codes})


def _operation_id(route: Route) -> str:
    words = [word for word in re.split(r"\W+", route.path) if word not in {"", "v1"}]
    return "_".join([route.method.lower(), *words])


def _path_parameters(route: Route) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]


def _query_parameters(query: type[QueryParameters] | None) -> list[Schema]:
    if query is None:
        return []
    _, definitions = models_json_schema([(query, "validation")], ref_template=_REFERENCE)
    properties = query.model_json_schema(ref_template=_REFERENCE)["properties"]
    inline = definitions["$defs"]
    return [
        {"name": name, "in": "query", "required": False, "schema": _inlined(schema, inline)}
        for name, schema in properties.items()
    ]


def _inlined(schema: Any, definitions: Schema) -> Any:
    """*schema* with its references replaced by what they refer to."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return definitions[schema["$ref"].rpartition("/")[2]]
    return {key: _inlined(value, definitions) for key, value in schema.items()}


def _key(route: Route) -> list[Schema]:
    if not route.takes_key:
        return []
    return [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        }
    ]


def _headers(route: Route) -> list[Schema]:
    return [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": meaning,
            "schema": {"type": "string"},
        }
        for name, meaning in route.headers.items()
    ]


def _answer(route: Route) -> Schema:
    schema = _reference(route.response) if route.response is not None else {"type": "string"}
    if route.response is None and route.content_type == JSON:
        schema = {"type": "object"}
    return {"description": route.summary, "content": {route.content_type: {"schema": schema}}}


def _reference(model: type[BaseModel]) -> Schema:
    return {"$ref": _REFERENCE.format(model=model.__name__)}
