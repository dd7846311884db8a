"""``sip-gateway token``: bearer tokens for the REST interface."""

import asyncio
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.table import Table

from gateway.cli.options import config_option, json_option, load_settings
from gateway.clock import now
from gateway.errors import InvalidRequest
from gateway.representation import rfc3339
from gateway.store.database import Database
from gateway.store.tokens import SqlTokens
from gateway.web.local import TOKEN_NAME
from gateway.web.route import Scope

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

Result = TypeVar("Result")


@click.group()
def token() -> None:
    """Create, list or revoke bearer tokens."""


@token.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What it may do; repeat for more.",
)
@config_option
def create(name: str, scopes: tuple[str, ...], config: Path | None) -> None:
    """Print a new token, once, alone on standard output."""
    _check(name)
    secret = f"sgw_{secrets.token_urlsafe(32)}"
    _with_tokens(config, lambda t: t.create_token(name, frozenset(scopes), secret))
    click.echo(f"{name}: keep it safe, it is not shown again", err=True)
    click.echo(secret)


@token.command(name="list")
@config_option
@json_option
def list_(config: Path | None, *, as_json: bool) -> None:
    """Show names and scopes."""
    tokens = _with_tokens(config, lambda t: t.tokens())
    if as_json:
        rows = [
            {
                "name": t.name,
                "scopes": sorted(t.scopes),
                "created_at": rfc3339(t.created_at),
            }
            for t in tokens
        ]
        click.echo(json.dumps(rows))
        return
    table = Table("name", "scopes", "created", box=None)
    for t in tokens:
        table.add_row(t.name, " ".join(sorted(t.scopes)), f"{t.created_at:%Y-%m-%d %H:%M}")
    Console().print(table if tokens else "no tokens; sip-gateway token create NAME --scope S")


@token.command()
@click.argument("name")
@config_option
@click.pass_context
def revoke(ctx: click.Context, name: str, config: Path | None) -> None:
    """Make the token useless at once."""
    if _with_tokens(config, lambda t: t.revoke_token(name)):
        click.echo(f"revoked {name}")
        return
    click.echo(f"error: there is no token {name!r}; sip-gateway token list", err=True)
    ctx.exit(1)


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"{name[:80]!r} is no name for a token: 1 to 64 of A-Z a-z 0-9 _ . -; type crm-1"
        )
    if name == TOKEN_NAME:
        raise InvalidRequest(
            f"{name} is the gateway's own token, for these commands; take another name"
        )


def _with_tokens(
    config: Path | None, action: Callable[[SqlTokens], Awaitable[Result]]
) -> Result:
    settings = load_settings(config)

    async def work() -> Result:
        async with Database(settings=settings.database, data_dir=settings.data_dir) as database:
            await database.prepare()
            return await action(SqlTokens(database=database, clock=now))

    return asyncio.run(work())
