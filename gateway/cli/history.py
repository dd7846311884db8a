"""``sip-gateway history``: the messages that a query finds."""

import json
from datetime import datetime
from pathlib import Path

import click

from gateway.cli.listing import newest, one_line
from gateway.cli.options import config_option, json_option, load_settings
from gateway.web.client import GatewayClient, JsonObject, call_gateway


@click.command()
@click.argument("query", nargs=-1)
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True)
@config_option
@json_option
def history(query: tuple[str, ...], *, limit: int, config: Path | None, as_json: bool) -> None:
    """Show messages, newest first; QUERY is as in the chat: invoice from:1001 after:-7d."""

    async def work(client: GatewayClient) -> list[JsonObject]:
        async def page_of(size: int, cursor: str) -> JsonObject:
            return await client.history(" ".join(query), limit=size, cursor=cursor)

        return await newest(limit, page_of)

    items = call_gateway(load_settings(config).data_dir, work)
    if as_json:
        for item in items:
            click.echo(json.dumps(item, ensure_ascii=False))
        return
    for item in items:
        click.echo(_line(item))
    if not items:
        click.echo("no messages found")


def _line(item: JsonObject) -> str:
    at = datetime.fromisoformat(item["created_at"]).astimezone()
    arrow = "->" if item["direction"] == "outbound" else "<-"
    sip = item["sip"]
    why = [f"{sip['status']} {sip['reason']}"] if sip and sip["status"] != 200 else []
    marks = " ".join([item["status"], *why, *item["flags"]])
    text = " ".join((item["text"] or f"[{item['content_type']}]").split())
    return one_line(f"{at:%Y-%m-%d %H:%M:%S} {arrow} {item['peer']} ({marks}) {text}")
