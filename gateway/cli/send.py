"""``sip-gateway send``: one message through the running gateway."""

import asyncio
import json
from pathlib import Path

import click

from gateway.cli.options import config_option, json_option, load_settings
from gateway.web.client import MAX_WAIT_SECONDS, GatewayClient, JsonObject, call_gateway

FINAL = frozenset({"delivered", "relayed", "failed", "expired", "canceled"})
ARRIVED = frozenset({"delivered", "relayed"})


@click.command()
@click.argument("to")
@click.argument("text")
@click.option("--wait", type=click.IntRange(0, 86400), default=0, metavar="SECONDS")
@config_option
@json_option
@click.pass_context
def send(
    ctx: click.Context, to: str, text: str, *, wait: int, config: Path | None, as_json: bool
) -> None:
    """Send TEXT to TO, a SIP URI or an extension; with --wait, exit 0 only when delivered."""

    async def work(client: GatewayClient) -> JsonObject:
        message = await client.send(to, text, wait=min(wait, MAX_WAIT_SECONDS))
        for _ in range(wait - MAX_WAIT_SECONDS):
            if message["status"] in FINAL:
                break
            await asyncio.sleep(1)
            message = await client.message(message["id"])
        return message

    message = call_gateway(load_settings(config).data_dir, work)
    if as_json:
        click.echo(json.dumps(message, ensure_ascii=False))
    else:
        click.echo(_line(message))
    if wait and message["status"] not in ARRIVED:
        ctx.exit(1)


def _line(message: JsonObject) -> str:
    sip = message["sip"]
    why = f" ({sip['status']} {sip['reason']})" if sip else ""
    return f"{message['status']}{why}: {message['peer']} {message['id']}"
