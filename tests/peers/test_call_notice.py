"""A call comes in, somebody is told, types "answer", and the phone has answered."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any

import pytest

from tests.peers.gateway_process import (
    EVERYBODY_MAY,
    LOCAL_ACCOUNT,
    ROOT,
    SIMULATED_PHONE,
    GatewayProcess,
    eventually,
)
from tests.peers.sip_ua import SipUserAgent

pytestmark = [pytest.mark.timeout(180)]


async def run_hook(gateway: GatewayProcess, event: str, user: str) -> None:
    """As MicroSIP runs it where there is no hook program."""
    environment = {**os.environ, "GATEWAY_CONFIG": str(gateway.configuration)}  # noqa: TID251
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "notify-call", event, "--", user),
        cwd=ROOT,
        env=environment,
        stdin=DEVNULL,
        stderr=PIPE,
    )
    _, error = await process.communicate()
    assert process.returncode == 0, error.decode()


def tell(gateway: GatewayProcess, agent: SipUserAgent) -> None:
    """Configure that *agent* is told of calls."""
    with gateway.configuration.open("a") as file:
        file.write(f'\n[calls]\nnotify = ["sip:{agent.user}@{agent.host_port}"]\n')


async def calls(gateway: GatewayProcess) -> list[dict[str, Any]]:
    async with gateway.client() as client:
        items: list[dict[str, Any]] = (await client.get("/v1/calls"))["items"]
        return items


async def ended(gateway: GatewayProcess) -> dict[str, Any]:
    """The one call there was."""

    async def of_the_past() -> list[dict[str, Any]]:
        return [call for call in await calls(gateway) if call["outcome"]]

    [call] = await eventually(of_the_past)
    return call


async def test_a_call_is_answered_by_who_was_told_of_it(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path, LOCAL_ACCOUNT, SIMULATED_PHONE, EVERYBODY_MAY)
    async with SipUserAgent("anna", gateway.sip_port) as anna:
        tell(gateway, anna)
        async with gateway:
            await run_hook(gateway, "incoming", "555")
            await run_hook(gateway, "ring", "555")
            notice = await anna.next_message()

            answered = await anna.ask(gateway.bot, "answer")
            hung_up = await anna.ask(gateway.bot, "hangup")

            call = await ended(gateway)
            assert notice.text == 'call from 555: type "answer" or "reject"'
            assert answered.startswith("OK answer")
            assert hung_up.startswith("OK hangup")
            assert (call["peer"], call["outcome"]) == ("555", "answered")
            assert await anna.silence(1)


async def test_a_missed_call_is_told_once_even_by_a_gateway_that_was_killed(
    tmp_path: Path,
) -> None:
    gateway = GatewayProcess(tmp_path, LOCAL_ACCOUNT, SIMULATED_PHONE)
    async with SipUserAgent("anna", gateway.sip_port) as anna:
        tell(gateway, anna)
        async with gateway:
            await run_hook(gateway, "incoming", "555")
            await run_hook(gateway, "ring", "555")
            rings = await anna.next_message()
            await eventually(lambda: gateway.history("is:delivered"))
            await gateway.kill()
            await gateway.start()
            await run_hook(gateway, "end", "555")

            missed = await anna.next_message()

            call = await ended(gateway)
            assert rings.text.startswith("call from 555: ")
            assert missed.text.startswith("missed call from 555 at ")
            assert missed.text.endswith(': type "dial 555"')
            assert call["outcome"] == "missed"
            assert await anna.silence(1)
