"""``sip-gateway init``: writes a commented gateway.toml."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import click

from gateway.address import Aor, SipUri, resolve_recipient
from gateway.cli.options import load_settings
from gateway.config_file import FILE_NAME
from gateway.errors import AddressError, ConfigError, InvalidRequest
from gateway.microsip.ini import read_account
from gateway.microsip.installation import find_ini, this_pc

TEMPLATE = """\
# sip-gateway; every key and its meaning: README.md. Check with: sip-gateway config check

[sip]
# udp_port = 5070                 # 0: any free port; false: none
# tcp_port = 5070

[[sip.accounts]]
name = {name}
uri = {uri}
{registration}
[http]
# port = 8765                     # the REST interface, on this machine only

[chat]
# Nobody may command by SIP without a rule; the first that matches wins.
{rules}
[phone]
driver = "auto"                   # auto | dde | copydata | simulated | none
# allow_numbers = ["*"]
# deny_numbers = ["00*", "+*", "0900*"]
# calls_per_hour = 30              # sender_calls_per_hour = 20: of each sender or token

[calls]
# notify = ["sip:101@office.example"]   # told in the chat that a call rings or was missed

# [[hooks.sources]]               # POST /v1/hooks/alerts
# key = "alerts"
# format = "alertmanager"
# secret_file = "alerts.secret"
# to = ["sip:101@office.example"]
"""
RULE = """\
[[chat.rules]]
who = [{who}]
allow = ["phone:read", "phone:control", "history:own", "send"]
"""
COMMENTED_RULE = """\
# [[chat.rules]]
# who = ["sip:101@office.example"]
# allow = ["phone:read", "phone:control", "history:own", "send"]
"""

_USER = re.compile(r"[A-Za-z0-9_.+-]{1,64}")  # it names the password's file too
_NOT_OF_A_NAME = re.compile(r"[^A-Za-z0-9_.-]")  # see config.Account


@dataclass(frozen=True, slots=True)
class Registration:
    """Where the bot registers; without a registrar it is a local account."""

    user: str
    domain: str
    registrar: str = ""
    proxy: str = ""


@click.command()
@click.option("--from-microsip", is_flag=True, help="Registrar and domain from microsip.ini.")
@click.option("--ini", type=click.Path(path_type=Path), help="Which microsip.ini.")
@click.option("--registrar", metavar="URI", help="sip:office.example; none: local account.")
@click.option("--domain", help="Of the addresses, when it is not the registrar's host.")
@click.option("--user", default="bot", show_default=True, help="The bot's own extension.")
@click.option("--extension", metavar="EXT", help="Who may command: an extension or SIP URI.")
@click.option("--output", type=click.Path(path_type=Path), default=FILE_NAME, show_default=True)
@click.option("--force", is_flag=True, help="Overwrite.")
def init(  # noqa: PLR0913  one argument an option
    *,
    from_microsip: bool,
    ini: Path | None,
    registrar: str | None,
    domain: str | None,
    user: str,
    extension: str | None,
    output: Path,
    force: bool,
) -> None:
    """Write a commented gateway.toml."""
    if output.exists() and not force:
        raise ConfigError(f"{output}: is there already; --force overwrites it")
    if from_microsip or ini is not None:
        registration = _from_ini(ini, user)
    else:
        registration = _as_told(registrar, domain, user)
    _check(registration)
    who = None if extension is None else _who(extension, registration.domain)
    output.write_text(_render(registration, who), encoding="utf-8")
    load_settings(_with_password_file(output, registration))
    click.echo(f"wrote {output}")
    if registration.registrar:
        click.echo(f"next: put {registration.user}'s SIP password into {_secret(registration)}")
    click.echo("then: sip-gateway doctor, and sip-gateway run")


def _from_ini(ini: Path | None, user: str) -> Registration:
    path = ini or find_ini(this_pc())
    if path is None:
        raise ConfigError("no microsip.ini was found; name it with --ini FILE")
    account = read_account(path)
    proxy = f"sip:{account.proxy};lr" if account.proxy else ""
    return Registration(user, account.domain, f"sip:{account.server}", proxy)


def _as_told(registrar: str | None, domain: str | None, user: str) -> Registration:
    if registrar is None:
        return Registration(user, domain or "localhost")
    try:
        uri = SipUri.parse(registrar if ":" in registrar else f"sip:{registrar}")
    except AddressError as exc:
        raise ConfigError(f"--registrar: {exc}; write it like sip:office.example") from exc
    return Registration(user, domain or uri.host, str(uri))


def _check(registration: Registration) -> None:
    if not _USER.fullmatch(registration.user):
        raise InvalidRequest(
            f"--user: {registration.user!r} is no extension of letters, digits and _ . + -; "
            "type --user bot"
        )
    try:
        resolve_recipient(registration.user, registration.domain)
    except AddressError as exc:
        raise InvalidRequest(f"the domain: {exc}; it must be like office.example") from exc


def _who(extension: str, domain: str) -> Aor:
    """What a rule is compared with: nothing else would ever match."""
    try:
        return resolve_recipient(extension, domain).aor
    except AddressError as exc:
        raise InvalidRequest(
            f"--extension: {exc}; type --extension 101 or --extension sip:101@{domain}"
        ) from exc


def _render(registration: Registration, who: Aor | None) -> str:
    lines = []
    if registration.registrar:
        lines += [
            f"registrar = {json.dumps(registration.registrar)}",
            f"username = {json.dumps(registration.user)}",
            f'password_file = "{_secret(registration)}"   # the password alone in it',
        ]
    if registration.proxy:
        lines.append(f"proxy = {json.dumps(registration.proxy)}")
    rules = COMMENTED_RULE
    if who:
        rules = RULE.format(who=json.dumps(who))
    return TEMPLATE.format(
        # Not the same for all: gateways that share a database tell accounts by their names.
        name=json.dumps(_NOT_OF_A_NAME.sub("-", registration.user)[:32]),
        uri=json.dumps(f"sip:{registration.user}@{registration.domain}"),
        registration="".join(f"{line}\n" for line in lines),
        rules=rules,
    )


def _secret(registration: Registration) -> str:
    return f"{registration.user}.secret"


def _with_password_file(output: Path, registration: Registration) -> Path:
    """Make the file that the user is to fill, so that what was written can be checked."""
    if registration.registrar:
        path = output.parent / _secret(registration)
        if not path.exists():
            path.touch(mode=0o600)
    return output
