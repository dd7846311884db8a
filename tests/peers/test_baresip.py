"""Somebody else's SIP client writes to the bot."""

from pathlib import Path

import pytest

from tests.peers.baresip import Baresip
from tests.peers.gateway_process import (
    EVERYBODY_MAY,
    SIMULATED_PHONE,
    GatewayProcess,
    account,
)
from tests.peers.kamailio import DOMAIN, Kamailio

pytestmark = [pytest.mark.timeout(180), pytest.mark.peer("kamailio", "baresip")]


async def test_baresip_is_answered(tmp_path: Path, kamailio: Kamailio) -> None:
    async with (
        GatewayProcess(
            tmp_path, account("bot", kamailio), SIMULATED_PHONE, EVERYBODY_MAY
        ) as gateway,
        Baresip("105", kamailio.port, f"sip:bot@{DOMAIN}") as baresip,
    ):
        await gateway.registered()

        baresip.write("dial 1002")
        dialled = await baresip.next_message()
        baresip.write("ping")
        ponged = await baresip.next_message()

        assert dialled.startswith("OK dial 1002")
        assert ponged.startswith("OK ping")
