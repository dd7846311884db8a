"""Problem documents (RFC 9457)."""

import json

import pytest

from gateway.phone import Problem
from gateway.web.problem import Code, FieldError, HttpProblem

CONTRACT = {
    Code.INVALID_REQUEST: 400,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN_SCOPE: 403,
    Code.NOT_FOUND: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.CURSOR_INVALID: 400,
    Code.CONFLICT: 409,
    Code.IDEMPOTENCY_MISMATCH: 422,
    Code.IDEMPOTENCY_IN_PROGRESS: 409,
    Code.UNSUPPORTED_MEDIA: 415,
    Code.TOO_LARGE: 413,
    Code.RATE_LIMITED: 429,
    Code.NOT_ALLOWED: 403,
    Code.PHONE_NO_CALL: 409,
    Code.PHONE_FAILED: 502,
    Code.PHONE_NOT_RUNNING: 503,
    Code.PHONE_NOT_RESPONDING: 504,
    Code.STORAGE_UNAVAILABLE: 503,
    Code.SIGNATURE_INVALID: 401,
    Code.TIMESTAMP_SKEW: 401,
    Code.INTERNAL_ERROR: 500,
}


@pytest.mark.parametrize("code", Code, ids=str)
def test_each_code_has_its_status_with_a_title(code: Code) -> None:
    assert code.status == CONTRACT[code]
    assert code.summary


def test_a_document_names_what_is_wrong_where() -> None:
    problem = HttpProblem(
        Code.INVALID_REQUEST,
        "to: not a SIP URI",
        errors=(FieldError(pointer="/to", detail="not a SIP URI"),),
        members={"verb": "dial"},
    )

    document = json.loads(problem.document("order-17"))

    assert document == {
        "type": "urn:sip-gateway:problem:invalid_request",
        "title": "The request cannot be understood",
        "status": 400,
        "code": "invalid_request",
        "detail": "to: not a SIP URI",
        "request_id": "order-17",
        "errors": [{"pointer": "/to", "detail": "not a SIP URI"}],
        "verb": "dial",
    }


def test_a_document_has_no_empty_members() -> None:
    document = json.loads(HttpProblem(Code.NOT_FOUND, "gone").document("1"))

    assert "errors" not in document


def test_every_problem_of_the_phone_but_one_is_a_code() -> None:
    unmapped = {problem.value for problem in Problem} - {code.value for code in Code}

    assert unmapped == {"", "interrupted"}
