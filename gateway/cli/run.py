"""``sip-gateway run``: runs the gateway until it is told to stop."""

import asyncio
import gc
import logging
import os
import signal
import sys
from pathlib import Path

import click
from pythonjsonlogger.json import JsonFormatter

from gateway.app import Gateway
from gateway.cli.options import config_option, load_settings
from gateway.config import Settings

log = logging.getLogger("gateway")

GARBAGE = 20_000
"""New objects after which the collector looks for cycles: 700 are four messages, and to look
after each of these takes a sixth of what a message does."""


@click.command()
@config_option
@click.option("--demo", is_flag=True, help="A simulated MicroSIP; it says so in every answer.")
@click.option("--log-level", default="info", type=click.Choice(["debug", "info", "warning"]))
@click.option("--log-format", default="text", type=click.Choice(["text", "json"]))
def run(config: Path | None, *, demo: bool, log_level: str, log_format: str) -> None:
    """Run the gateway; Ctrl-C or SIGTERM stops it cleanly."""
    os.umask(0o077)  # messages are nobody else's business
    settings = load_settings(config)
    _set_up_logging(log_level, log_format)
    try:
        asyncio.run(_until_stopped(settings, demo=demo))
    except KeyboardInterrupt:
        log.info("stopped")


def _set_up_logging(level: str, form: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    if form == "json":
        handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    for noisy in ("alembic", "aiosqlite", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _ready(line: str) -> None:
    click.echo(line)
    gc.freeze()  # what is there now stays, and need not be looked at again
    gc.set_threshold(GARBAGE)


async def _until_stopped(settings: Settings, *, demo: bool) -> None:
    """Exit 0 after a stop that was asked for."""
    task = asyncio.current_task()
    assert task is not None
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        task.cancel()

    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        # The window's close button and log-off arrive as SIGBREAK.
        signal.signal(signal.SIGBREAK, lambda *_: loop.call_soon_threadsafe(stop))
    else:
        loop.add_signal_handler(signal.SIGTERM, stop)
    try:
        await Gateway(settings=settings, demo=demo, announce=_ready).run()
    except asyncio.CancelledError:
        if not stopped:
            raise
        log.info("stopped")
