"""What a command that fails prints, by exit code."""

import sys
from typing import Any

import click

from gateway.errors import ConfigError, GatewayError, InvalidRequest
from gateway.web.client import GatewayUnreachable, RequestRefused

DONE = 0
FAILED = 1
USAGE = 2
NOT_REACHABLE = 3


class Commands(click.Group):
    """A group whose commands end with one clear sentence instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GatewayError as exc:
            click.echo(f"error: {exc}", err=True)
            sys.exit(exit_code(exc))


def exit_code(exc: GatewayError) -> int:
    if isinstance(exc, GatewayUnreachable):
        return NOT_REACHABLE
    if isinstance(exc, RequestRefused):
        return USAGE if exc.status in {400, 404, 415, 422} else FAILED
    return USAGE if isinstance(exc, ConfigError | InvalidRequest) else FAILED
