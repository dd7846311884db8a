"""The gateway beside a user agent that takes messages as MicroSIP does."""

from pathlib import Path

import pytest

from tests.peers.gateway_process import (
    EVERYBODY_MAY,
    SIMULATED_PHONE,
    GatewayProcess,
    account,
    eventually,
)
from tests.peers.kamailio import Kamailio
from tests.peers.microsip_ua import MicroSipUserAgent
from tests.peers.sip_ua import SipUserAgent

pytestmark = [pytest.mark.timeout(180), pytest.mark.peer("kamailio")]


async def test_bot_and_softphone_are_two_extensions(tmp_path: Path, kamailio: Kamailio) -> None:
    async with (
        GatewayProcess(
            tmp_path, account("bot", kamailio), SIMULATED_PHONE, EVERYBODY_MAY
        ) as gateway,
        MicroSipUserAgent("100", kamailio.port) as softphone,
        SipUserAgent("101", kamailio.port) as anna,
    ):
        await gateway.registered()
        await anna.register()

        answer = await anna.ask("bot", "send 100 Grüße, 電話")
        await anna.send("100", "and from me")

        shown = {await softphone.next_message(), await softphone.next_message()}
        assert answer.startswith("OK send 100")
        assert shown == {"101: Grüße, 電話", "and from me"}


async def test_an_extension_shared_with_the_softphone_is_only_recorded(
    tmp_path: Path, kamailio: Kamailio
) -> None:
    async with (
        GatewayProcess(
            tmp_path, account("100", kamailio, mode="record"), SIMULATED_PHONE, EVERYBODY_MAY
        ) as gateway,
        MicroSipUserAgent("100", kamailio.port) as softphone,
        SipUserAgent("101", kamailio.port) as anna,
    ):
        await gateway.registered()
        await anna.register()

        status = await anna.send("100", "dial 1002")
        shown = await softphone.next_message()
        kept = await eventually(gateway.history)

        assert status == 200
        assert shown == "dial 1002"
        assert [(item["text"], item["direction"]) for item in kept] == [
            ("dial 1002", "inbound")
        ]
        assert await anna.silence(2)
        assert len(await gateway.history()) == 1
