"""A SIP MESSAGE reaches an HTTP server, signed, whatever happens to the gateway."""

import asyncio
from pathlib import Path

import pytest

from tests.peers.gateway_process import LOCAL_ACCOUNT, GatewayProcess
from tests.peers.sip_ua import SipUserAgent
from tests.webhook_receiver import SECRET, WebhookReceiver

pytestmark = [pytest.mark.timeout(180)]

RECORDER = LOCAL_ACCOUNT + 'mode = "record"\n'
LEASE = 30


def endpoint(receiver: WebhookReceiver, *events: str) -> str:
    """Its configuration."""
    patterns = ", ".join(f'"{event}"' for event in events)
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
        GatewayProcess(tmp_path, RECORDER, endpoint(receiver, "message.*")) as gateway,
        SipUserAgent("anna", gateway.sip_port) as anna,
    ):
        assert await anna.send(gateway.bot, "good morning") == 200

        [posted] = await receiver.until_posted(within=20)

        [shown] = await gateway.history("good")
        assert posted.document["type"] == "message.received"
        assert posted.document["data"] == shown
        assert posted.signed_with(SECRET)


async def test_what_was_delivered_is_told_too(tmp_path: Path) -> None:
    async with (
        WebhookReceiver() as receiver,
        GatewayProcess(tmp_path, LOCAL_ACCOUNT, endpoint(receiver, "message.d*")) as gateway,
        SipUserAgent("anna", gateway.sip_port) as anna,
    ):
        sent = await gateway.send(f"sip:anna@{anna.host_port}", "hello", wait=20)

        [posted] = await receiver.until_posted(within=20)

        assert posted.document["type"] == "message.delivered"
        assert posted.document["data"] == sent


async def test_kill_9_between_message_and_answer_loses_no_event(tmp_path: Path) -> None:
    texts = [f"message {number}" for number in range(20)]
    async with (
        WebhookReceiver(*[None] * len(texts)) as receiver,
        GatewayProcess(tmp_path, RECORDER, endpoint(receiver, "*")) as gateway,
        SipUserAgent("anna", gateway.sip_port) as anna,
    ):
        answers = await asyncio.gather(*(anna.send(gateway.bot, text) for text in texts))
        assert set(answers) == {200}
        cut_off = {posted.id for posted in await receiver.until_posted(within=20)}

        await gateway.kill()
        receiver.answer_all()
        await gateway.start()

        again = await receiver.until_told(texts, within=2 * LEASE)
        assert cut_off <= {posted.id for posted in again}
        assert len({posted.id for posted in again}) == len(texts)
