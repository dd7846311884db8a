"""``send as:me`` through a whole gateway under Wine, to what MicroSIP makes of it."""

from pathlib import Path

import pytest

from tests.peers.sip_ua import SipUserAgent
from tests.peers.wine import WindowsPython
from tests.peers.wine_gateway import TESTER, WindowsGateway
from tests.peers.wine_steering import SteeredPeer

pytestmark = [pytest.mark.peer("wine"), pytest.mark.timeout(180)]

PLAYED = "tests.peers.wine_microsip_window"


async def test_a_message_goes_out_of_microsip_and_into_the_history(
    windows_python: WindowsPython, tmp_path: Path
) -> None:
    with SteeredPeer(windows_python.start, PLAYED) as microsip:
        async with (
            WindowsGateway(windows_python, tmp_path, driver="auto") as gateway,
            SipUserAgent(TESTER, gateway.sip_port) as tester,
        ):
            sent = await tester.ask(gateway.bot, 'send as:me 1002 "back" at\nthree')
            denied = await tester.ask(gateway.bot, "send as:me 0044123 hello")
            hostile = await tester.ask(gateway.bot, "send as:me 1002 see /Account:2")
            typed = await gateway.command("send", "--as-me", "10 03", "hello")
            history = await gateway.history()
        reports = microsip.reports("copydata")

    effects = [report["effect"] for report in reports if report["text"] != "msip:"]
    kept = {(m["peer"], m["text"], m["status"]) for m in history if m["origin"] == "microsip"}
    assert sent.startswith("WAIT send as:me 1002 (sent; MicroSIP does not report it) #")
    assert denied.startswith("NO send as:me 0044123 (00* is denied")
    assert hostile.startswith("ERR send as:me 1002")
    assert typed.stdout.startswith("WAIT send as:me 1003 (sent;")
    assert effects == ["sent '\"back\" at three' to 1002", "sent 'hello' to 1003"]
    assert kept == {
        ("sip:1002@localhost", '"back" at three', "relayed"),
        ("sip:1003@localhost", "hello", "relayed"),
    }
