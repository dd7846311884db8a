"""What every request passes: its id, its log line, its errors as problem documents."""

import logging
import random
import re
import time
from functools import cache

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.errors import (
    AddressError,
    ConflictError,
    GatewayError,
    InvalidRequest,
    PhoneError,
    StorageUnavailable,
)
from gateway.metrics import Metrics
from gateway.web.problem import CONTENT_TYPE, Code, HttpProblem, invalid

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 1024 * 1024
REQUEST_ID = web.RequestKey("request_id", str)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HTTP_CODES = {
    400: Code.INVALID_REQUEST,
    404: Code.NOT_FOUND,
    405: Code.METHOD_NOT_ALLOWED,
    413: Code.TOO_LARGE,
    415: Code.UNSUPPORTED_MEDIA,
}


class Ledger:
    """Gives each request its id, counts it, writes its line without body or credentials."""

    def __init__(self, metrics: Metrics) -> None:
        self._seconds = cache(metrics.request_seconds.labels)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else _new_request_id()
        request[REQUEST_ID] = request_id
        started = time.perf_counter()
        response = await handler(request)
        elapsed = time.perf_counter() - started
        response.headers["X-Request-Id"] = request_id
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Server"] = "sip-gateway"
        self._count(request, response.status, elapsed)
        log.info(
            "%s %s %d %.1f ms from %s id %s",
            request.method,
            request.path,  # without the query string: it may hold words of messages
            response.status,
            elapsed * 1000,
            request.remote,
            request_id,
        )
        return response

    def _count(self, request: web.Request, status: int, elapsed: float) -> None:
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "unmatched"
        method = request.method if request.method in _METHODS else "other"
        self._seconds(method, route, str(status)).observe(elapsed)


def _new_request_id() -> str:
    return f"{random.getrandbits(128):032x}"


@web.middleware
async def problem_documents(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer whatever ends a request early with a problem document."""
    try:
        return await handler(request)
    except HttpProblem as exc:
        problem = exc
    except web.HTTPException as exc:
        problem = _http_problem(exc)
    except web.RequestPayloadError:
        problem = invalid("the body ended early or is not encoded as its headers say")
    except GatewayError as exc:
        problem = _gateway_problem(exc)
    except Exception:  # the client is told which line of the log has the reason
        log.exception("%s %s failed, id %s", request.method, request.path, request[REQUEST_ID])
        problem = HttpProblem(Code.INTERNAL_ERROR, "see the gateway's log for this request id")
    return web.Response(
        status=problem.code.status,
        text=problem.document(request[REQUEST_ID]),
        content_type=CONTENT_TYPE,
        headers=problem.headers,
    )


def _http_problem(exc: web.HTTPException) -> HttpProblem:
    code = _HTTP_CODES.get(exc.status, Code.INTERNAL_ERROR)
    match exc:
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(exc.allowed_methods))
            return HttpProblem(code, f"use {allowed}", headers={"Allow": allowed})
        case web.HTTPRequestEntityTooLarge():
            return HttpProblem(code, f"a body has at most {MAX_BODY_BYTES} bytes")
        case web.HTTPNotFound():
            return HttpProblem(code, "nothing is here; /openapi.json lists what there is")
        case _:
            return HttpProblem(code, exc.reason)


def _gateway_problem(exc: GatewayError) -> HttpProblem:
    match exc:
        case InvalidRequest():
            return invalid(exc.detail, exc.pointer)
        case AddressError():
            return invalid(str(exc))
        case ConflictError():
            return HttpProblem(Code.CONFLICT, str(exc))
        case StorageUnavailable():
            log.warning("storage unavailable: %s", exc)
            return HttpProblem(
                Code.STORAGE_UNAVAILABLE,
                "the database cannot be reached; nothing was accepted, try again",
                headers={"Retry-After": "5"},
            )
        case PhoneError():
            return HttpProblem(Code(exc.problem), exc.detail)
        case _:
            log.error("unexpected %s: %s", type(exc).__name__, exc)
            return HttpProblem(Code.INTERNAL_ERROR, str(exc))
