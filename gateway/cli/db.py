"""``sip-gateway db``: the database's revision."""

import asyncio
import json
from pathlib import Path

import click

from gateway.cli.options import config_option, json_option, load_settings
from gateway.config import Settings
from gateway.store.database import Database
from gateway.store.schema import Revision


@click.group()
def db() -> None:
    """Upgrade the database, or show its revision."""


@db.command()
@config_option
def upgrade(config: Path | None) -> None:
    """Bring the database to the newest revision."""
    before, after = asyncio.run(_upgrade(load_settings(config)))
    if before.is_current:
        click.echo(f"at {after.current} already")
    else:
        click.echo(f"{before.current or 'empty'} -> {after.current}")


@db.command()
@config_option
@json_option
@click.pass_context
def status(ctx: click.Context, config: Path | None, *, as_json: bool) -> None:
    """Show the revision; exit 1 when an upgrade is due."""
    revision = asyncio.run(_revision(load_settings(config)))
    current, head = revision.current, revision.head
    if as_json:
        click.echo(json.dumps({"revision": current, "head": head}))
    elif revision.is_current:
        click.echo(f"ok: at {head}")
    else:
        click.echo(f"at {current or 'empty'}, newest is {head}: run sip-gateway db upgrade")
    if not revision.is_current:
        ctx.exit(1)


async def _upgrade(settings: Settings) -> tuple[Revision, Revision]:
    async with Database(settings=settings.database, data_dir=settings.data_dir) as database:
        return await database.revision(), await database.upgrade()


async def _revision(settings: Settings) -> Revision:
    async with Database(settings=settings.database, data_dir=settings.data_dir) as database:
        return await database.revision()
