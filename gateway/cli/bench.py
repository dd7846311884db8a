"""``sip-gateway bench``: measures the gateway on this machine."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from gateway.bench.plan import QUICK, Bench, Plan
from gateway.bench.report import Found, document, table
from gateway.bench.rows import ROWS, Row
from gateway.cli.options import json_option

_OWN_SETTINGS = "GATEWAY_"
"""Environment variables that would point the measured gateways at the user's own data."""
_WIDTH = 150
"""Columns, where the table goes to a file."""


@click.command()
@click.argument("names", nargs=-1, metavar="[ROW]...")
@click.option("--quick", is_flag=True, help="A minute of tiny numbers: no figures to quote.")
@click.option(
    "--postgresql",
    default="",
    metavar="URL",
    help=(
        "postgresql://user:password@host:port, whose user may create databases; else a server"
        " is started."
    ),
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where the databases are: its disk is measured, or none in /dev/shm.",
)
@json_option
def bench(
    names: tuple[str, ...], *, quick: bool, postgresql: str, folder: Path | None, as_json: bool
) -> None:
    """Measure the gateway beside Kamailio's msilo: every ROW, unless some are named."""
    rows = _chosen(names)
    with tempfile.TemporaryDirectory(
        prefix="sip-gateway-bench-", dir=folder, ignore_cleanup_errors=True
    ) as scratch:
        progress = Console(stderr=True)
        given = Bench(
            plan=QUICK if quick else Plan(),
            folder=Path(scratch),
            environment={
                k: v for k, v in os.environ.items() if not k.startswith(_OWN_SETTINGS)
            },
            say=lambda text: progress.print(f"  {text}", style="dim"),
            postgresql=postgresql,
        )
        # As Ctrl-C does: what was started is ended.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        found = asyncio.run(_measure(given, rows, progress))
    if as_json:
        click.echo(json.dumps(document(found), indent=2))
    else:
        Console(width=None if sys.stdout.isatty() else _WIDTH).print(table(found))


def _chosen(names: Sequence[str]) -> Sequence[Row]:
    known = [row.name for row in ROWS]
    for name in names:
        if name not in known:
            raise click.UsageError(f"there is no row {name!r}; choose of: {', '.join(known)}")
    return [row for row in ROWS if not names or row.name in names]


async def _measure(given: Bench, rows: Sequence[Row], progress: Console) -> Found:
    found = []
    for row in rows:
        with progress.status(f"{row.name}: {row.work}"):
            found.append((row, await row.result(given)))
        progress.print(f"{row.name}: done")
    return found
