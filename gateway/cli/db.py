"""``sip-gateway db``: what is done to the database as a whole."""

import asyncio
import json
import os
from pathlib import Path

import click
from pydantic import SecretStr

from gateway.cli.copy_progress import progress_shown
from gateway.cli.copy_report import document, print_tables, print_what_next
from gateway.cli.options import config_option, json_option, load_settings
from gateway.config import DatabaseSettings, Settings
from gateway.data_folder import DataFolder
from gateway.errors import ConfigError
from gateway.store.copying import CopyReport, DatabaseCopy, target_settings
from gateway.store.database import Database
from gateway.store.schema import Revision


@click.group()
def db() -> None:
    """Upgrade the database, show its revision, or copy it into another."""


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


@db.command()
@click.argument("url")
@click.option(
    "--password-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Holds the password, to keep it out of URL.",
)
@config_option
@json_option
@click.pass_context
def copy(
    ctx: click.Context,
    url: str,
    *,
    password_file: Path | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Copy the database, whose gateway is stopped, into an empty one at URL."""
    os.umask(0o077)  # a new file holds people's messages
    settings = load_settings(config)
    target = target_settings(url, _password(password_file))
    try:
        with DataFolder(settings.data_dir):
            report = asyncio.run(_copy(settings, target))
    except KeyboardInterrupt:
        click.echo("interrupted, nothing was copied; type it again to start anew", err=True)
        ctx.exit(1)
    if as_json:
        click.echo(json.dumps(document(report)))
    else:
        print_tables(report)
        print_what_next(report, password_file)
    if not report.is_equal:
        ctx.exit(1)


async def _copy(settings: Settings, target: DatabaseSettings) -> CopyReport:
    data_dir = settings.data_dir
    async with (
        Database(settings=settings.database, data_dir=data_dir) as source,
        Database(settings=target, data_dir=data_dir) as empty,
        source.claimed(),
        empty.claimed(),
    ):
        with progress_shown() as progress:
            return await DatabaseCopy(source=source, target=empty, progress=progress).run()


def _password(file: Path | None) -> SecretStr:
    if file is None:
        return SecretStr("")
    try:
        return SecretStr(file.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"--password-file {file} cannot be read: {exc}") from exc


async def _upgrade(settings: Settings) -> tuple[Revision, Revision]:
    async with Database(settings=settings.database, data_dir=settings.data_dir) as database:
        return await database.revision(), await database.upgrade()


async def _revision(settings: Settings) -> Revision:
    async with Database(settings=settings.database, data_dir=settings.data_dir) as database:
        return await database.revision()
