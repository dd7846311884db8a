"""OPTIONS, and the methods for which PJSIP has no answer."""

import pytest

from gateway.sip.user_agent import UserAgent
from tests.sip.peer import Peer, message

pytestmark = pytest.mark.timeout(90)

NO_BODY = {"Content-Type": None}


def request(peer: Peer, method: str, **headers: str | None) -> bytes:
    changed: dict[str, str | None] = {**NO_BODY, **headers}
    return message("", via_port=peer.port, method=method, changed=changed)


async def test_options_says_what_is_taken(user_agent: UserAgent, peer: Peer) -> None:
    assert user_agent.udp_port

    answer = await peer.ask(request(peer, "OPTIONS"), user_agent.udp_port)

    assert answer.status_code == 200
    assert "MESSAGE" in answer.header("Allow")
    assert "text/plain" in answer.header("Accept")


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("PUBLISH", {"Event": "presence"}),
        ("REFER", {"Refer-To": "<sip:102@127.0.0.1>"}),
        ("NOTIFY", {"Event": "presence", "Subscription-State": "active"}),
        ("NOTIFY", {"Event": "message-summary"}),
        ("INFO", {}),
        ("UPDATE", {}),
        ("REGISTER", {}),
        ("NONSENSE", {}),
    ],
)
async def test_what_pjsip_passes_over_does_no_harm(
    user_agent: UserAgent, peer: Peer, method: str, headers: dict[str, str]
) -> None:
    assert user_agent.udp_port
    pid = user_agent.engine_pid

    peer.send(request(peer, method, **headers), user_agent.udp_port)
    unanswered = await peer.is_silent(0.3)
    answer = await peer.ask(message("hi", via_port=peer.port), user_agent.udp_port)

    assert unanswered  # SECURITY.md says why not 405
    assert answer.status_code == 200
    assert user_agent.engine_pid == pid
