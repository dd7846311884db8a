"""Reading what a client sent: its JSON body or query string as a checked model."""

import json
from collections import Counter
from contextlib import suppress
from datetime import datetime
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import AfterValidator, BeforeValidator, ValidationError, WithJsonSchema

from gateway.web.notation import parse_moment, parse_time
from gateway.web.objection import member_errors, parameter_errors
from gateway.web.problem import Code, FieldError, HttpProblem
from gateway.web.route import JSON, QueryParameters, RequestBody

Body = TypeVar("Body", bound=RequestBody)
Query = TypeVar("Query", bound=QueryParameters)


def _without_nul(text: str) -> str:
    if "\0" in text:  # PJSIP ends a body there, PostgreSQL refuses it
        raise ValueError("must not hold the character U+0000; leave it out")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
Time = Annotated[datetime, BeforeValidator(parse_time)]
"""Of RFC 3339, with its zone."""
Moment = Annotated[
    datetime,
    BeforeValidator(parse_moment),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}),
]
"""A Time, or a day for its midnight in UTC."""


async def read_body(request: web.Request, model: type[Body]) -> Body:
    """The body as *model*; no body at all counts as ``{}``."""
    raw = await request.read()
    if raw and request.content_type != JSON:
        raise HttpProblem(
            Code.UNSUPPORTED_MEDIA,
            f"the body must be JSON; send Content-Type: {JSON}, not {request.content_type}",
            headers={"Accept": JSON},
        )
    with suppress(ValueError, RecursionError):  # what is no JSON is told by the model
        _EACH_ONCE.decode(raw.decode())
    try:
        return model.model_validate_json(raw or b"{}")
    except ValidationError as exc:
        raise _problem(member_errors(exc, model)) from exc


def _once_each(members: list[tuple[str, object]]) -> None:
    """Of a member given twice, nobody knows which is meant (RFC 8259, section 4)."""
    if len(dict(members)) == len(members):
        return
    counts = Counter(name for name, _ in members)
    errors = tuple(
        FieldError(pointer="", detail=f"{name[:80]} is given more than once; send it once")
        for name, count in counts.items()
        if count > 1
    )
    raise _problem(errors)


_EACH_ONCE = json.JSONDecoder(object_pairs_hook=_once_each)


def read_query(request: web.Request, model: type[Query]) -> Query:
    """The query string as *model*; a parameter given twice is refused."""
    if twice := sorted(n for n in request.query if len(request.query.getall(n)) > 1):
        detail = "given more than once; send it once"
        raise _problem(tuple(FieldError(parameter=name, detail=detail) for name in twice))
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as exc:
        raise _problem(parameter_errors(exc, model)) from exc


def _problem(errors: tuple[FieldError, ...]) -> HttpProblem:
    first = errors[0]
    where = first.pointer or first.parameter or "body"
    return HttpProblem(Code.INVALID_REQUEST, f"{where}: {first.detail}", errors=errors)
