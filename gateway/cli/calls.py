"""``sip-gateway calls``: the calls of MicroSIP."""

import json
from datetime import datetime
from pathlib import Path

import click

from gateway.cli.listing import newest, one_line
from gateway.cli.options import config_option, json_option, load_settings
from gateway.web.client import GatewayClient, JsonObject, call_gateway


@click.command()
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True)
@config_option
@json_option
def calls(*, limit: int, config: Path | None, as_json: bool) -> None:
    """Show the calls of MicroSIP, newest first."""

    async def work(client: GatewayClient) -> list[JsonObject]:
        async def page_of(size: int, cursor: str) -> JsonObject:
            parameters = {"limit": str(size)} | ({"cursor": cursor} if cursor else {})
            return await client.get("/v1/calls", parameters)

        return await newest(limit, page_of)

    items = call_gateway(load_settings(config).data_dir, work)
    for item in items:
        click.echo(json.dumps(item, ensure_ascii=False) if as_json else _line(item))
    if not items and not as_json:
        click.echo("no calls found")


def _line(item: JsonObject) -> str:
    at = datetime.fromisoformat(item["started_at"]).astimezone()
    arrow = "->" if item["direction"] == "outgoing" else "<-"
    name = f" {item['name']}" if item["name"] else ""
    became = item["outcome"] or ("goes on" if item["answered_at"] else "rings")
    lasted = f", {item['duration_seconds']} s" if item["duration_seconds"] else ""
    return one_line(
        f"{at:%Y-%m-%d %H:%M:%S} {arrow} {item['peer'] or '(no number)'}{name}"
        f" ({became.replace('_', ' ')}{lasted})"
    )
