"""``sip-gateway send``: one message through the running gateway."""

import asyncio
import json
from pathlib import Path

import click

from gateway.cli.options import config_option, json_option, load_settings
from gateway.errors import InvalidRequest
from gateway.phone import CommandOutcome
from gateway.phone_message import PhoneMessage, parse_message
from gateway.web.client import MAX_WAIT_SECONDS, GatewayClient, JsonObject, call_gateway

FINAL = frozenset({"delivered", "relayed", "failed", "expired", "canceled"})
ARRIVED = frozenset({"delivered", "relayed"})


@click.command()
@click.argument("to")
@click.argument("text")
@click.option("--wait", type=click.IntRange(0, 86400), default=0, metavar="SECONDS")
@click.option("--as-me", is_flag=True, help="Out of MicroSIP, as its own user.")
@config_option
@json_option
@click.pass_context
def send(
    ctx: click.Context,
    to: str,
    text: str,
    *,
    wait: int,
    as_me: bool,
    config: Path | None,
    as_json: bool,
) -> None:
    """Send TEXT to TO, a SIP URI or an extension; with --wait, exit 0 only when delivered."""
    data_dir = load_settings(config).data_dir
    if as_me:
        if wait:
            raise InvalidRequest("MicroSIP reports no delivery; leave out --wait or --as-me")
        _send_as_me(ctx, data_dir, parse_message(to, text), as_json=as_json)
        return

    async def work(client: GatewayClient) -> JsonObject:
        message = await client.send(to, text, wait=min(wait, MAX_WAIT_SECONDS))
        for _ in range(wait - MAX_WAIT_SECONDS):
            if message["status"] in FINAL:
                break
            await asyncio.sleep(1)
            message = await client.message(message["id"])
        return message

    message = call_gateway(data_dir, work)
    if as_json:
        click.echo(json.dumps(message, ensure_ascii=False))
    else:
        click.echo(_line(message))
    if wait and message["status"] not in ARRIVED:
        ctx.exit(1)


def _send_as_me(
    ctx: click.Context, data_dir: Path, message: PhoneMessage, *, as_json: bool
) -> None:
    line = f"send as:me {message.number} {message.text}"
    answer = call_gateway(data_dir, lambda client: client.command(line))
    shown = json.dumps(answer, ensure_ascii=False) if as_json else "\n".join(answer["reply"])
    click.echo(shown)
    if answer["outcome"] in {CommandOutcome.REFUSED, CommandOutcome.FAILED}:
        ctx.exit(1)


def _line(message: JsonObject) -> str:
    sip = message["sip"]
    why = f" ({sip['status']} {sip['reason']})" if sip else ""
    return f"{message['status']}{why}: {message['peer']} {message['id']}"
