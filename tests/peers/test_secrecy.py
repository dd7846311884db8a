"""Nobody's words and no secret get into a log, whatever goes wrong."""

import asyncio
import sqlite3
from asyncio.subprocess import Process
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from gateway.web.local import read_local_access
from tests.peers.forger import Forger
from tests.peers.gateway_process import (
    EVERYBODY_MAY,
    SIMULATED_PHONE,
    GatewayProcess,
    account,
    eventually,
)
from tests.peers.kamailio import PASSWORD, Kamailio
from tests.peers.sip_ua import SipUserAgent
from tests.webhook_receiver import SECRET as WEBHOOK_SECRET, WebhookReceiver

pytestmark = [pytest.mark.timeout(180), pytest.mark.peer("kamailio")]

WORD = "confidential"
"""In every body, query and argument below."""
HOOK_SECRET = "h00k-shared-phrase"
WRONG = "never-issued-t0ken"
NOT_LOGS = {"gateway.db", ".journal", "http.json", "contacts.json"}
HOOKS = f"""
[[hooks.sources]]
key = "alerts"
secret = "{HOOK_SECRET}"
to = ["101"]
template = "{{{{ {{}}[text] }}}}"
"""


class Talkative(GatewayProcess):
    """Logs whatever it can."""

    async def _spawn(self, *arguments: str) -> Process:
        options = arguments or ("--config", str(self.configuration))
        return await super()._spawn(*options, "--log-level", "debug")


def endpoint(receiver: WebhookReceiver) -> str:
    return f"""
[[webhooks.endpoints]]
url = "{receiver.url}"
secret = "{WEBHOOK_SECRET}"
events = ["*"]
private_networks = true
"""


async def over_rest(gateway: GatewayProcess, token: str) -> None:
    """Requests that are right, wrong, unreadable or not allowed."""
    requests = (
        ("POST", "/v1/messages", f'{{"to": "101", "text": "{WORD}"}}'),
        ("POST", "/v1/messages", f'{{"to": "{WORD} x", "text": "{WORD}"}}'),
        ("POST", "/v1/messages", f'{{"{WORD}": '),
        ("POST", "/v1/commands", f'{{"text": "find {WORD}"}}'),
        ("POST", "/v1/commands", f'{{"text": "dial {WORD}"}}'),
        ("POST", "/v1/phone/dial", f'{{"argument": "{WORD}"}}'),
        ("POST", "/v1/hooks/alerts", f'{{"text": "{WORD}"}}'),
        ("GET", f"/v1/messages?q={WORD}", ""),
        ("GET", f"/v1/messages?cursor={WORD}", ""),
    )
    url = f"http://127.0.0.1:{gateway.http_port}"
    async with ClientSession() as session:
        for method, path, body in requests:
            for bearer in (token, WRONG, HOOK_SECRET):
                headers = {"Authorization": f"Bearer {bearer}", "Idempotency-Key": WORD}
                headers["Content-Type"] = "application/json"
                async with session.request(
                    method, url + path, data=body, headers=headers
                ) as response:
                    assert response.status < 500
    for line in (f"Authorization: Bearer {token}\0", f"X-{WORD}\x01: {token}"):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.http_port)
        writer.write(f"GET /v1/phone HTTP/1.1\r\n{line}\r\n\r\n".encode())
        assert b" 400 " in await reader.read(65_536)
        writer.close()


async def while_locked(gateway: GatewayProcess, anna: SipUserAgent) -> None:
    """A message, in and out, while nobody can write to the database."""
    with closing(sqlite3.connect(gateway.data_dir / "gateway.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert await anna.send("bot", f"{WORD} while locked") == 200

        async def told() -> bool:
            return "wait for the store" in gateway.log()

        await eventually(told)
        other.rollback()


async def test_a_whole_conversation_leaves_no_word_of_it_in_the_log(
    tmp_path: Path, kamailio: Kamailio
) -> None:
    refusing = (web.Response(status=500, text=WORD),) * 3
    async with (
        WebhookReceiver(*refusing) as receiver,
        Talkative(
            tmp_path / "gateway",
            account("bot", kamailio),
            *(SIMULATED_PHONE, EVERYBODY_MAY, HOOKS, endpoint(receiver)),
        ) as gateway,
        SipUserAgent("101", kamailio.port) as anna,
        Forger("101", gateway.sip_port) as forger,
    ):
        await gateway.registered()
        await anna.register()
        access = read_local_access(gateway.data_dir)
        assert access is not None
        contact = (gateway.data_dir / "contacts.json").read_text().split('"')[3]

        for words in (f"{WORD} hello", f"dial {WORD}", f"send 102 {WORD}", f"find {WORD}"):
            assert await anna.send("bot", words) == 200
        await forger.forge(f"dial {WORD}")
        await over_rest(gateway, access.token)
        await while_locked(gateway, anna)
        gateway.kill_engine()
        await receiver.until_posted(4, within=30)
        exit_code = await gateway.stop()

        assert exit_code == 0
        log = gateway.log()
        assert "POST /v1/messages" in log
        assert "template of webhook alerts failed" in log
        assert "is not proven" in log
        assert "ended with code -9" in log
        files = [path for path in gateway.data_dir.iterdir() if path.is_file()]
        written = [path for path in files if not any(n in path.name for n in NOT_LOGS)]
        texts = [log, *(path.read_text(errors="replace") for path in written)]
        secrets = (access.token, contact, PASSWORD, HOOK_SECRET, WEBHOOK_SECRET, WRONG)
        for secret in (WORD, *secrets):
            lines = [line for text in texts for line in text.splitlines() if secret in line]
            assert lines == [], secret
