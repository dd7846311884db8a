"""``sip-gateway events``: MicroSIP's event hooks in microsip.ini."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import click

from gateway.cli.options import config_option, json_option, load_settings
from gateway.config import Settings
from gateway.errors import ConfigError
from gateway.microsip.event_hooks import Hook
from gateway.microsip.events_install import Change, EventHooks, set_up

if sys.platform == "win32":
    from gateway.microsip.local import event_hooks, look_by_window, microsip_process

    def _hooks(settings: Settings) -> EventHooks:
        return event_hooks(microsip_process(settings.phone).executable(), settings.data_dir)

    async def _while_stopped(
        work: Callable[[], Change], settings: Settings, *, stop: bool
    ) -> Change:
        process = microsip_process(settings.phone)
        async with look_by_window(process.executable()) as look:
            return await set_up(work, process=process, look=look, stop=stop)

else:
    _NOT_HERE = (
        "there is no microsip.ini on this system: MicroSIP's event hooks are set up where it"
        " runs; install the gateway on that Windows PC and type this there"
    )

    def _hooks(settings: Settings) -> EventHooks:  # noqa: ARG001  as above
        raise ConfigError(_NOT_HERE)

    async def _while_stopped(
        work: Callable[[], Change],
        settings: Settings,  # noqa: ARG001  as above
        *,
        stop: bool,  # noqa: ARG001
    ) -> Change:
        return work()


def _stop_option(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--stop-microsip", "stop", is_flag=True, help="End MicroSIP, and start it again after."
    )(command)


@click.group()
def events() -> None:
    """MicroSIP's event hooks: it tells the gateway of each call."""


@events.command()
@config_option
@click.option("--chain", is_flag=True, help="Run another program's hooks too, after ours.")
@_stop_option
def install(config: Path | None, *, chain: bool, stop: bool) -> None:
    """Write the hooks into microsip.ini; MicroSIP must not run meanwhile."""
    settings = load_settings(config)
    hooks = _hooks(settings)
    if not hooks.installable(chain=chain):
        hooks.install(chain=chain)  # the program may be an older one
        click.echo(f"nothing to do: the hooks are in {hooks.ini}")
        return
    change = asyncio.run(
        _while_stopped(lambda: hooks.install(chain=chain), settings, stop=stop)
    )
    click.echo(f"hooks are in {hooks.ini}: {_kinds(change)}")
    click.echo(f"what was there is kept in {change.backup}")


@events.command()
@config_option
@_stop_option
def uninstall(config: Path | None, *, stop: bool) -> None:
    """Take our hooks out of microsip.ini; what they took the place of comes back."""
    settings = load_settings(config)
    hooks = _hooks(settings)
    if not hooks.removable():
        hooks.uninstall()  # what lies beside the program
        click.echo(f"nothing to do: none of our hooks is in {hooks.ini}")
        return
    change = asyncio.run(_while_stopped(hooks.uninstall, settings, stop=stop))
    click.echo(f"hooks are out of {hooks.ini}: {_kinds(change)}")
    click.echo(f"what was there is kept in {change.backup}")


@events.command()
@config_option
@json_option
def status(config: Path | None, *, as_json: bool) -> None:
    """What MicroSIP runs at each event of a call."""
    hooks = _hooks(load_settings(config))
    there = hooks.there()
    if as_json:
        rows = [{"event": h.kind, "owner": _owner(h), "command": h.value} for h in there]
        click.echo(json.dumps(rows, indent=2))
        return
    for hook in there:
        click.echo(f"{hook.kind:<13} {_owner(hook):<12} {hook.value}".rstrip())


def _owner(hook: Hook) -> str:
    if hook.is_ours:
        return "sip-gateway"
    return "another" if hook.value else "none"


def _kinds(change: Change) -> str:
    return ", ".join(change.kinds) or "nothing to change any more"
