"""``sip-gateway config``: validates, or shows the effective settings."""

import json
from pathlib import Path
from typing import Any

import click

from gateway.cli.options import config_option, json_option, load_settings, settings_file
from gateway.config_file import masked


@click.group()
def config() -> None:
    """Check or show the configuration."""


@config.command()
@config_option
def check(config: Path | None) -> None:
    """Say whether the configuration is valid."""
    load_settings(config)
    click.echo(f"ok: {settings_file(config) or 'no file, embedded defaults'}")


@config.command()
@config_option
@json_option
def show(config: Path | None, *, as_json: bool) -> None:
    """Show the effective settings, secrets masked."""
    values = masked(load_settings(config))
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return
    click.echo(f"# {settings_file(config) or 'no file, embedded defaults'}")
    for line in _lines("", values):
        click.echo(line)


def _lines(name: str, value: Any) -> list[str]:
    if isinstance(value, dict) and value:
        return [
            line
            for key, item in value.items()
            for line in _lines(f"{name}.{key}" if name else key, item)
        ]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [
            line
            for number, item in enumerate(value, 1)
            for line in _lines(f"{name}[{number}]", item)
        ]
    return [f"{name} = {json.dumps(value, ensure_ascii=False)}"]
