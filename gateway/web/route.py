"""The rows of the route table: what the server, the gate, the OpenAPI document are made of."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from gateway.bearer_token import Token
from gateway.caller import Caller
from gateway.idempotency import IdempotencyKey
from gateway.web.problem import Code

JSON = "application/json"


class Scope(StrEnum):
    """What a token can be allowed; none includes another."""

    MESSAGES_SEND = "messages:send"
    MESSAGES_READ = "messages:read"
    PHONE_READ = "phone:read"
    PHONE_CONTROL = "phone:control"
    HOOKS_ADMIN = "hooks:admin"
    HISTORY_EXPORT = "history:export"
    ADMIN = "admin"


class RequestBody(BaseModel):
    """A JSON body: no unknown members, no converted types."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )


class QueryParameters(BaseModel):
    """The query string: no unknown parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class View(BaseModel):
    """A resource as JSON shows it."""

    model_config = ConfigDict(frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to a route, its sender admitted."""

    request: web.Request
    token: Token | None = None
    caller: Caller | None = None
    """None where the route needs no token."""
    key: IdempotencyKey | None = None
    """Claimed for this request, when it carries one."""

    def path(self, name: str) -> str:
        return self.request.match_info[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a handler answers."""

    status: int = 200
    body: str = ""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    key_completed: bool = False
    """The idempotency key was completed in the transaction that gave the effect."""

    @classmethod
    def of(
        cls, view: View, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> "Answer":
        return cls(status=status, body=to_json(view), headers=headers or {})


def to_json(view: View) -> str:
    return view.model_dump_json(by_alias=True)


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One method of one path."""

    method: str
    path: str
    handler: Handler
    summary: str
    description: str = ""
    scopes: tuple[Scope, ...] = ()
    """A token with any of them is let in; empty: no token is needed."""
    scopes_of: Callable[[web.Request], tuple[Scope, ...]] | None = None
    """Which of them this one request needs, where that depends on it."""
    on_refusal: Callable[[web.Request, Caller, str], Awaitable[None]] | None = None
    """Told, with the reason, of a request whose token may not, or not so often."""
    query: type[QueryParameters] | None = None
    request: type[RequestBody] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the request that mean something here, with what they mean."""
    response: type[View] | None = None
    status: int = 200
    or_status: int | None = None
    """Another one that has a body of the same kind."""
    content_type: str = JSON
    problems: tuple[Code, ...] = ()
    """Beside those that its kind of route may end with."""

    @property
    def takes_key(self) -> bool:
        """Whether an Idempotency-Key means something here."""
        return self.method == "POST" and bool(self.scopes)


class Resource(Protocol):
    """A family of routes."""

    def routes(self) -> Sequence[Route]: ...
