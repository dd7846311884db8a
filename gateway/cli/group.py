"""The group that loads a command when it is used, so that each starts quickly."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from gateway.cli.failures import explain
from gateway.errors import GatewayError


class Commands(click.Group):
    """Command ``a-b`` is ``gateway.cli.a_b.a_b``; an error ends it with one clear sentence."""

    def __init__(self, *, names: Sequence[str], **attributes: Any) -> None:
        super().__init__(**attributes)
        self._names = names

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(self._names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self._names:
            return None
        name = cmd_name.replace("-", "_")
        command = getattr(import_module(f"gateway.cli.{name}"), name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GatewayError as exc:
            text, code = explain(exc)
            click.echo(text, err=True)
            sys.exit(code)
