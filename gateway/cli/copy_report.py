"""What ``sip-gateway db copy`` tells at its end."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from gateway.store.copying import CopyReport

_SHOWN_OF_SHA256 = 12


def document(report: CopyReport) -> dict[str, object]:
    return {
        "source": report.source,
        "target": report.target,
        "equal": report.is_equal,
        "tables": [
            {
                "name": table.name,
                "equal": table.is_equal,
                "source": {"rows": table.source.rows, "sha256": table.source.sha256},
                "target": {"rows": table.target.rows, "sha256": table.target.sha256},
            }
            for table in report.tables
        ],
    }


def print_tables(report: CopyReport) -> None:
    shown = Table("table", "rows", "there", "sha256", "there", "", box=None)
    for table in report.tables:
        sides = (table.source, table.target)
        shown.add_row(
            table.name,
            *(str(side.rows) for side in sides),
            *(side.sha256[:_SHOWN_OF_SHA256] for side in sides),
            "equal" if table.is_equal else "DIFFERS",
        )
    Console().print(shown)


def print_what_next(report: CopyReport, password_file: Path | None) -> None:
    if not report.is_equal:
        click.echo(
            f"error: what arrived at {report.target} differs, so nothing of it was kept;"
            " look there for a trigger or a rule that changes rows, then type it again",
            err=True,
        )
        return
    click.echo(f"{report.rows} rows copied; now tell the gateway, in its configuration:")
    click.echo(f"[database]\nurl = {json.dumps(report.target)}")
    if password_file is not None:
        click.echo(f"password_file = {json.dumps(str(password_file.absolute()))}")
    elif report.target.startswith("postgresql"):
        click.echo('# password_file = "FILE", where a password is needed')
    click.echo("then: sip-gateway run (the old database is kept as it was)")
