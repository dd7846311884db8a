"""The ``sip-gateway`` command."""

import click

from gateway.cli.config import config
from gateway.cli.db import db
from gateway.cli.doctor import doctor
from gateway.cli.failures import Commands
from gateway.cli.history import history
from gateway.cli.init import init
from gateway.cli.phone import phone
from gateway.cli.run import run
from gateway.cli.send import send
from gateway.cli.token import token
from gateway.version import VERSION


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="sip-gateway")
def main() -> None:
    """SIP MESSAGE gateway for MicroSIP: chat commands, webhooks, history, REST."""


for command in (run, init, doctor, config, db, token, send, history, phone):
    main.add_command(command)
