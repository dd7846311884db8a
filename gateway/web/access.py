"""Bearer authentication (RFC 6750), scopes, limits per token."""

import re
from functools import lru_cache

from aiohttp import web

from gateway.bearer_token import Token
from gateway.caller import Caller, Origin, Permission
from gateway.limits import KeyedLimit
from gateway.ports import Tokens
from gateway.web.local import is_of_commands, token_name
from gateway.web.problem import Code, HttpProblem
from gateway.web.route import Call, Route, Scope

_BEARER = re.compile(r"bearer +([!-~]{1,512})", re.IGNORECASE)
_CALLERS = 256
"""Tokens whose permissions are not looked up for each request."""
_CHALLENGE = 'Bearer realm="sip-gateway"'
_PERMISSIONS = {
    Scope.MESSAGES_SEND: Permission.SEND,
    Scope.MESSAGES_READ: Permission.HISTORY_ALL,
    Scope.PHONE_READ: Permission.PHONE_READ,
    Scope.PHONE_CONTROL: Permission.PHONE_CONTROL,
    Scope.ADMIN: Permission.ADMIN,
}


class Gate:
    """Lets a request through to its route, or says what it lacks."""

    def __init__(self, *, tokens: Tokens, limit: KeyedLimit, node: str = "") -> None:
        """*node* is this gateway's id: others on its database have tokens there too."""
        self._tokens = tokens
        self._node = node
        self._limit = limit

    async def admit(self, request: web.Request, route: Route) -> Call:
        if not route.scopes:
            return Call(request=request)
        token = await self._authenticate(request)
        caller = _caller(token)
        scopes = route.scopes_of(request) if route.scopes_of else route.scopes
        problem = self._problem(token, scopes)
        if problem is not None:
            if route.on_refusal:
                await route.on_refusal(request, caller, problem.detail)
            raise problem
        return Call(request=request, token=token, caller=caller)

    def _problem(self, token: Token, scopes: tuple[Scope, ...]) -> HttpProblem | None:
        if token.scopes.isdisjoint(scopes):
            return _missing_scope(scopes)
        return None if self._limit.allows(token.name) else too_many("this token")

    async def _authenticate(self, request: web.Request) -> Token:
        match = _BEARER.fullmatch(request.headers.get("Authorization", ""))
        if match is None:
            raise _unauthenticated(
                "send Authorization: Bearer TOKEN; make one with: sip-gateway token create",
                _CHALLENGE,
            )
        token = await self._tokens.token_for(match[1])
        if token is None or self._is_of_another(token):
            raise _unauthenticated(
                "this token is not known; make one with: sip-gateway token create",
                f'{_CHALLENGE}, error="invalid_token"',
            )
        return token

    def _is_of_another(self, token: Token) -> bool:
        """Whether it is that of the commands on another gateway's machine, for there alone."""
        return is_of_commands(token.name) and token.name != token_name(self._node)


@lru_cache(maxsize=_CALLERS)
def _caller(token: Token) -> Caller:
    return Caller(
        who=f"token:{token.name}",
        proof="bearer token",
        origin=Origin.CLI if is_of_commands(token.name) else Origin.REST,
        permissions=frozenset(
            permission for scope, permission in _PERMISSIONS.items() if scope in token.scopes
        ),
    )


def _missing_scope(scopes: tuple[Scope, ...]) -> HttpProblem:
    names = " or ".join(scopes)
    return HttpProblem(
        Code.FORBIDDEN_SCOPE,
        f"the token needs the scope {names}; make one with: "
        f"sip-gateway token create NAME --scope {scopes[0]}",
        headers={"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope"'},
    )


def too_many(what: str) -> HttpProblem:
    return HttpProblem(
        Code.RATE_LIMITED,
        f"too many requests for {what}; try again in a second",
        headers={"Retry-After": "1"},
    )


def _unauthenticated(detail: str, challenge: str) -> HttpProblem:
    return HttpProblem(Code.UNAUTHENTICATED, detail, headers={"WWW-Authenticate": challenge})
