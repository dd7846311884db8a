"""``sip-gateway db``: the database's revision."""

import asyncio
import json
from pathlib import Path

import click

from gateway.cli.options import config_option, json_option, load_settings
from gateway.store.database import Database


@click.group()
def db() -> None:
    """Upgrade the database, or show its revision."""


@db.command()
@config_option
def upgrade(config: Path | None) -> None:
    """Bring the database to the newest revision."""
    settings = load_settings(config)

    async def work() -> tuple[str | None, str]:
        async with Database(settings.database_url) as database:
            before = await database.revision()
            await database.upgrade()
            return before, database.head()

    before, after = asyncio.run(work())
    click.echo(f"at {after} already" if before == after else f"{before or 'empty'} -> {after}")


@db.command()
@config_option
@json_option
@click.pass_context
def status(ctx: click.Context, config: Path | None, *, as_json: bool) -> None:
    """Show the revision; exit 1 when an upgrade is due."""
    settings = load_settings(config)

    async def work() -> tuple[str | None, str]:
        async with Database(settings.database_url) as database:
            return await database.revision(), database.head()

    revision, head = asyncio.run(work())
    if as_json:
        click.echo(json.dumps({"revision": revision, "head": head}))
    elif revision == head:
        click.echo(f"ok: at {head}")
    else:
        click.echo(f"at {revision or 'empty'}, newest is {head}: run sip-gateway db upgrade")
    if revision != head:
        ctx.exit(1)
