"""Reading what a client sent: its JSON body or query string as a checked model."""

from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from aiohttp import web
from pydantic import AfterValidator, ValidationError

from gateway.web.problem import Code, FieldError, HttpProblem
from gateway.web.route import JSON, QueryParameters, RequestBody

Body = TypeVar("Body", bound=RequestBody)
Query = TypeVar("Query", bound=QueryParameters)


def _without_nul(text: str) -> str:
    if "\0" in text:  # PJSIP ends a body there, PostgreSQL refuses it
        raise ValueError("must not hold the character U+0000")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]


async def read_body(request: web.Request, model: type[Body]) -> Body:
    """The body as *model*; no body at all counts as ``{}``."""
    raw = await request.read()
    if raw and request.content_type != JSON:
        raise HttpProblem(
            Code.UNSUPPORTED_MEDIA,
            f"the body must be JSON; send Content-Type: {JSON}, not {request.content_type}",
            headers={"Accept": JSON},
        )
    try:
        return model.model_validate_json(raw or b"{}")
    except ValidationError as exc:
        raise _problem(exc, pointers=True) from exc


def read_query(request: web.Request, model: type[Query]) -> Query:
    """The query string as *model*; a parameter given twice is refused."""
    if twice := sorted(n for n in request.query if len(request.query.getall(n)) > 1):
        raise HttpProblem(Code.INVALID_REQUEST, f"given more than once: {', '.join(twice)}")
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as exc:
        raise _problem(exc, pointers=False) from exc


def _problem(exc: ValidationError, *, pointers: bool) -> HttpProblem:
    errors = tuple(
        FieldError(
            pointer=_pointer(error["loc"]) if pointers else ".".join(map(str, error["loc"])),
            detail=_detail(error["type"], error["msg"]),
        )
        for error in exc.errors(include_url=False, include_context=False, include_input=False)
    )
    first = errors[0]
    return HttpProblem(
        Code.INVALID_REQUEST, f"{first.pointer or 'body'}: {first.detail}", errors=errors
    )


def _pointer(location: Iterable[Any]) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in location)


def _detail(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "unknown member"
    return message
