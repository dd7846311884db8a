"""By which names, and from which pages, the gateway may be asked."""

import re
from collections.abc import Collection
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from gateway.web.problem import Code, HttpProblem, invalid

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110, section 9.2.1
_HOSTS = 64
"""Names that are not looked into again."""
_PORT = re.compile(r":\d*$")


def names_this(host: str, names: Collection[str]) -> bool:
    """Whether a Host header is one of *names*, or an address.

    A page whose DNS name was changed to this machine's address sends that name; whoever sends
    the address itself has no name of his own there, so his pages are of another origin.
    """
    name = _PORT.sub("", host).lower().rstrip(".")
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return name in names
    return True


def is_cross_site(origin: str, host: str) -> bool:
    """Whether an Origin header is another's than the server's own, ``null`` included."""
    try:
        return urlsplit(origin).netloc.lower() != host.lower()
    except ValueError:
        return True


def same_origin_only(names: Collection[str]) -> Middleware:
    """Refuse what a web page of somebody else sends, by DNS rebinding or from its own name."""

    @lru_cache(maxsize=_HOSTS)
    def is_ours(host: str) -> bool:
        return names_this(host, names)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_ours(request.host):
            raise invalid(
                f"this gateway is not {request.host!r}; ask for it by its address, or list"
                " the name in [http] allowed_hosts"
            )
        origin = request.headers.get("Origin")
        if request.method not in _SAFE and origin and is_cross_site(origin, request.host):
            raise HttpProblem(
                Code.NOT_ALLOWED, "a web page of another site may not change anything here"
            )
        return await handler(request)

    return middleware
