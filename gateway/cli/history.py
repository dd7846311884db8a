"""``sip-gateway history``: the messages that a query finds."""

import json
import shutil
import sys
from datetime import datetime
from pathlib import Path

import click

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
        return
    for item in items:
        click.echo(_line(item))
    if not items:
        click.echo("no messages found")


def _line(item: JsonObject) -> str:
    """One line a message, cut to the terminal where there is one."""
    at = datetime.fromisoformat(item["created_at"]).astimezone()
    arrow = "->" if item["direction"] == "outbound" else "<-"
    sip = item["sip"]
    why = [f"{sip['status']} {sip['reason']}"] if sip and sip["status"] != 200 else []
    marks = " ".join([item["status"], *why, *item["flags"]])
    text = " ".join((item["text"] or f"[{item['content_type']}]").split())
    line = f"{at:%Y-%m-%d %H:%M:%S} {arrow} {item['peer']} ({marks}) {text}"
    line = "".join(character if character.isprintable() else "?" for character in line)
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        return line if len(line) <= width else line[: width - 3] + "..."
    return line
