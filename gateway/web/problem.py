"""Problem documents (RFC 9457): the body of every error."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from gateway.errors import GatewayError

CONTENT_TYPE = "application/problem+json"


class Code(StrEnum):
    """Why a request was not answered as asked; part of the public contract."""

    INVALID_REQUEST = "invalid_request"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN_SCOPE = "forbidden_scope"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CURSOR_INVALID = "cursor_invalid"
    CONFLICT = "conflict"
    IDEMPOTENCY_MISMATCH = "idempotency_mismatch"
    IDEMPOTENCY_IN_PROGRESS = "idempotency_in_progress"
    UNSUPPORTED_MEDIA = "unsupported_media"
    TOO_LARGE = "too_large"
    RATE_LIMITED = "rate_limited"
    NOT_ALLOWED = "not_allowed"
    PHONE_NO_CALL = "phone_no_call"
    PHONE_FAILED = "phone_failed"
    PHONE_NOT_RUNNING = "phone_not_running"
    PHONE_NOT_RESPONDING = "phone_not_responding"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    SIGNATURE_INVALID = "signature_invalid"
    TIMESTAMP_SKEW = "timestamp_skew"
    INTERNAL_ERROR = "internal_error"

    @property
    def urn(self) -> str:
        return f"urn:sip-gateway:problem:{self.value}"

    @property
    def status(self) -> int:
        return _TABLE[self][0]

    @property
    def summary(self) -> str:
        return _TABLE[self][1]


_TABLE = {
    Code.INVALID_REQUEST: (400, "The request cannot be understood"),
    Code.UNAUTHENTICATED: (401, "A valid bearer token is needed"),
    Code.FORBIDDEN_SCOPE: (403, "The token may not do this"),
    Code.NOT_FOUND: (404, "There is no such resource"),
    Code.METHOD_NOT_ALLOWED: (405, "The resource does not have this method"),
    Code.CURSOR_INVALID: (400, "The cursor does not fit the query"),
    Code.CONFLICT: (409, "The resource is in another state"),
    Code.IDEMPOTENCY_MISMATCH: (422, "The idempotency key belongs to another request"),
    Code.IDEMPOTENCY_IN_PROGRESS: (409, "The first request with this key has not ended"),
    Code.UNSUPPORTED_MEDIA: (415, "The body is not of a supported type"),
    Code.TOO_LARGE: (413, "The body is too large"),
    Code.RATE_LIMITED: (429, "Too many requests"),
    Code.NOT_ALLOWED: (403, "A rule forbids this"),
    Code.PHONE_NO_CALL: (409, "The phone's state forbids this command"),
    Code.PHONE_FAILED: (502, "MicroSIP refused the command"),
    Code.PHONE_NOT_RUNNING: (503, "MicroSIP is not running"),
    Code.PHONE_NOT_RESPONDING: (504, "MicroSIP does not respond"),
    Code.STORAGE_UNAVAILABLE: (503, "The database is unavailable"),
    Code.SIGNATURE_INVALID: (401, "The signature is not valid"),
    Code.TIMESTAMP_SKEW: (401, "The timestamp is too far from this clock"),
    Code.INTERNAL_ERROR: (500, "The gateway failed"),
}


class FieldError(BaseModel):
    """One thing that is wrong with the request."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    pointer: str | None = None
    """JSON Pointer (RFC 6901) into the body."""
    parameter: str | None = None
    """The name of a parameter of the query or the path, in the place of a pointer."""
    detail: str


class ProblemView(BaseModel):
    """A problem document (RFC 9457); some codes add members of their own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    type: str
    title: str
    status: int
    code: Code
    detail: str
    request_id: str
    errors: tuple[FieldError, ...] | None = None


class HttpProblem(GatewayError):
    """Ends the request with a problem document.

    *took_effect*: something was or may have been done, so that the same idempotency key
    must get this same answer; else the key may be used again.
    """

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
        took_effect: bool = False,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.members = dict(members or {})
        self.took_effect = took_effect

    def document(self, request_id: str) -> str:
        view = ProblemView(
            type=self.code.urn,
            title=self.code.summary,
            status=self.code.status,
            code=self.code,
            detail=self.detail,
            request_id=request_id,
            errors=self.errors or None,
            **self.members,
        )
        return view.model_dump_json(exclude_none=True)


def not_found(what: str) -> HttpProblem:
    return HttpProblem(Code.NOT_FOUND, what)


def invalid(detail: str, pointer: str = "") -> HttpProblem:
    errors = (FieldError(pointer=pointer, detail=detail),) if pointer else ()
    return HttpProblem(Code.INVALID_REQUEST, detail, errors=errors)


def invalid_parameter(name: str, detail: str) -> HttpProblem:
    errors = (FieldError(parameter=name, detail=detail),)
    return HttpProblem(Code.INVALID_REQUEST, detail, errors=errors)
