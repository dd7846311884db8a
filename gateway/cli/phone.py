"""``sip-gateway phone``: the sixteen verbs."""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.chat.phone import phone_reply
from gateway.chat.reply import first_line
from gateway.chat.status_line import status_line
from gateway.cli.options import config_option, json_option, load_settings
from gateway.errors import InvalidRequest
from gateway.phone import (
    TO_CONFIRM,
    CommandOutcome,
    CommandResult,
    PhoneCommand,
    Problem,
    Verb,
    parse_command,
)
from gateway.phone_status import PhoneState, PhoneStatus, Seen
from gateway.web.client import GatewayClient, JsonObject, RequestRefused, call_gateway

T = TypeVar("T")


@click.command()
@click.argument("verb")
@click.argument("arguments", nargs=-1, metavar="[ARG...]")
@click.option("--yes", is_flag=True, help="Close, or change the device, without asking.")
@config_option
@json_option
@click.pass_context
def phone(
    ctx: click.Context,
    verb: str,
    arguments: tuple[str, ...],
    *,
    yes: bool,
    config: Path | None,
    as_json: bool,
) -> None:
    """Drive MicroSIP: dial 1002, hangup, answer, status ... in chat words or DDE names."""
    known = Verb.named(verb)
    if known is None:
        words = " ".join(Verb)
        raise InvalidRequest(f"there is no verb {verb!r}; one of: {words}")
    command = parse_command(known, arguments)
    if known in TO_CONFIRM and not yes:
        _confirm(command)

    async def work(client: GatewayClient) -> JsonObject:
        if known is Verb.STATUS:
            return await client.phone_status()
        return await client.phone(known, command.argument, confirm=known in TO_CONFIRM)

    try:
        answer = call_gateway(load_settings(config).data_dir, work)
    except RequestRefused as exc:
        if "outcome" not in exc.document:
            raise
        answer = exc.document
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else _line(command, answer))
    if answer.get("outcome") in {"refused", "failed"}:
        ctx.exit(1)


def _confirm(command: PhoneCommand) -> None:
    if not sys.stdin.isatty():
        raise InvalidRequest(f"{command.verb} must be confirmed: add --yes")
    click.confirm(f"{command}: this ends or restarts MicroSIP; go on?", abort=True)


def _line(command: PhoneCommand, answer: JsonObject) -> str:
    if command.verb is Verb.STATUS:
        status = _status(answer)
        return f"{status_line(status, None)} (by {status.source})"
    return first_line(phone_reply(_result(command, answer)))


def _status(answer: JsonObject) -> PhoneStatus:
    state = answer["state"]
    return PhoneStatus(
        state=PhoneState(state["value"]),
        raw=answer["raw"],
        source=state["source"],
        observed_at=datetime.fromisoformat(state["observed_at"]),
        peer=_seen(answer["peer"], str),
        since=_seen(answer["since"], datetime.fromisoformat),
        muted=_seen(answer["muted"], bool),
        volume=_seen(answer["volume"], int),
    )


def _seen(fact: JsonObject | None, read: Callable[[Any], T]) -> Seen[T] | None:
    if fact is None:
        return None
    observed_at = datetime.fromisoformat(fact["observed_at"])
    return Seen(read(fact["value"]), fact["source"], observed_at)


def _result(command: PhoneCommand, answer: JsonObject) -> CommandResult:
    """Of an answer, or of a problem document with an outcome."""
    return CommandResult(
        command_id=answer["command_id"],
        command=command,
        outcome=CommandOutcome(answer["outcome"]),
        problem=Problem(answer.get("code", "")),
        evidence=answer["evidence"],
        detail=answer["detail"],
        simulated=answer["simulated"],
    )
