"""The ``sip-gateway`` command."""

import click

from gateway.cli.group import Commands
from gateway.version import VERSION


@click.group(
    cls=Commands,
    names=(
        *("run", "init", "doctor", "config", "db", "token"),
        *("send", "history", "calls", "phone", "events", "notify-call", "bench"),
    ),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(VERSION, prog_name="sip-gateway")
def main() -> None:
    """SIP MESSAGE gateway for MicroSIP: chat commands, webhooks, history, REST."""
