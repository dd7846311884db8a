"""The options that several commands take."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.config import Settings
from gateway.config_file import find_file, load

Command = TypeVar("Command", bound=Callable[..., Any])


def config_option(command: Command) -> Command:
    return click.option(
        "--config",
        "config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The configuration; else GATEWAY_CONFIG, ./gateway.toml, the user's folder.",
    )(command)


def json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="For machines.")(command)


def settings_file(config: Path | None) -> Path | None:
    return find_file(config, os.environ)


def load_settings(config: Path | None) -> Settings:
    """The effective settings; raises ConfigError."""
    return load(settings_file(config), os.environ)
