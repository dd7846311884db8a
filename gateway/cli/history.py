"""``sip-gateway history``: the messages that a query finds."""

import json
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli.options import config_option, json_option, load_settings
from gateway.query import MAX_PAGE
from gateway.web.client import GatewayClient, JsonObject, call_gateway


@click.command()
@click.argument("query", nargs=-1)
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True)
@config_option
@json_option
def history(query: tuple[str, ...], *, limit: int, config: Path | None, as_json: bool) -> None:
    """Show messages, newest first; QUERY is as in the chat: invoice from:1001 after:-7d."""

    async def work(client: GatewayClient) -> list[JsonObject]:
        items: list[JsonObject] = []
        cursor = ""
        while len(items) < limit:
            size = min(limit - len(items), MAX_PAGE)
            page = await client.history(" ".join(query), limit=size, cursor=cursor)
            items += page["items"]
            cursor = page["next_cursor"] or ""
            if not cursor:
                break
        return items

    items = call_gateway(load_settings(config).data_dir, work)
    if as_json:
        for item in items:
            click.echo(json.dumps(item, ensure_ascii=False))
    elif items:
        Console().print(_table(items))
    else:
        click.echo("no messages found")


def _table(items: list[JsonObject]) -> Table:
    table = Table("time", "", "peer", "status", "text", box=None, pad_edge=False)
    for item in items:
        at = datetime.fromisoformat(item["created_at"]).astimezone()
        arrow = "->" if item["direction"] == "outbound" else "<-"
        marks = " ".join([item["status"], *item["flags"]])
        text = Text(item["text"] or f"[{item['content_type']}]")
        table.add_row(f"{at:%Y-%m-%d %H:%M:%S}", arrow, Text(item["peer"]), marks, text)
    return table
