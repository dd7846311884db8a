"""A SIP MESSAGE reaches an HTTP server, signed."""

from pathlib import Path

import pytest

from tests.peers.gateway_process import LOCAL_ACCOUNT, GatewayProcess
from tests.peers.sip_ua import SipUserAgent
from tests.webhook_receiver import SECRET, WebhookReceiver

pytestmark = [pytest.mark.timeout(180)]


def endpoint(receiver: WebhookReceiver, *events: str) -> str:
    """Its configuration."""
    patterns = ", ".join(f'"{event}"' for event in events or ("*",))
    return f"""
[[webhooks.endpoints]]
url = "{receiver.url}"
secret = "{SECRET}"
events = [{patterns}]
private_networks = true
"""


async def test_a_message_is_told_as_rest_shows_it(tmp_path: Path) -> None:
    async with (
        WebhookReceiver() as receiver,
        GatewayProcess(tmp_path, LOCAL_ACCOUNT, endpoint(receiver)) as gateway,
        SipUserAgent("anna", gateway.sip_port) as anna,
    ):
        assert await anna.send(gateway.bot, "good morning") == 200

        [posted, *_] = await receiver.until_posted(1, within=20)

        [shown] = await gateway.history("is:received good")
        assert posted.document["type"] == "message.received"
        assert posted.document["data"] == shown
        assert posted.signed_with(SECRET)
