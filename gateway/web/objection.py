"""What is wrong with a member or a parameter, in words that say what to send."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gateway.web.problem import FieldError

_WORDS = {
    "missing": "missing; send it",
    "json_invalid": "must be JSON in UTF-8; {error}",
    "model_type": "must be a JSON object, in braces",
    "string_type": "must be a string, in quotes",
    "string_too_long": "too long; send at most {max_length} characters",
    "bool_type": "must be true or false, without quotes",
    "tuple_type": 'must be a list, such as ["a", "b"]',
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "value_error": "{error}",
}


def member_errors(exc: ValidationError, model: type[BaseModel]) -> tuple[FieldError, ...]:
    """In a JSON body."""
    return tuple(
        FieldError(pointer=_pointer(error["loc"]), detail=_detail(error, "member", model))
        for error in _errors(exc)
    )


def parameter_errors(exc: ValidationError, model: type[BaseModel]) -> tuple[FieldError, ...]:
    """In a query string."""
    return tuple(
        FieldError(parameter=str(error["loc"][0]), detail=_detail(error, "parameter", model))
        for error in _errors(exc)
    )


def _errors(exc: ValidationError) -> Sequence[ErrorDetails]:
    return exc.errors(include_url=False, include_input=False)


def _pointer(location: Iterable[Any]) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in location)


def _detail(error: ErrorDetails, what: str, model: type[BaseModel]) -> str:
    kind, context = error["type"], error.get("ctx", {})
    match kind:
        case "extra_forbidden":
            known = ", ".join(_names(model))
            return f"unknown {what}; " + (f"known are {known}" if known else "send none here")
        case "too_short" | "string_too_short" if context["min_length"] == 1:
            return "must not be empty"
        case "too_long":
            # The length of a text that has a validator is told as that of any value.
            unit = "characters" if context["field_type"] == "Value" else "items"
            return f"too long; send at most {context['max_length']} {unit}"
        case _:
            return _WORDS[kind].format(**context) if kind in _WORDS else error["msg"]


def _names(model: type[BaseModel]) -> list[str]:
    return [str(field.validation_alias or name) for name, field in model.model_fields.items()]
