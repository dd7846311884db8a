"""The gateway as an extension of a real registrar."""

from pathlib import Path

import pytest

from tests.peers.gateway_process import (
    EVERYBODY_MAY,
    SIMULATED_PHONE,
    GatewayProcess,
    account,
    eventually,
)
from tests.peers.kamailio import DOMAIN, Kamailio
from tests.peers.sip_ua import SipUserAgent

pytestmark = [pytest.mark.timeout(180), pytest.mark.peer("kamailio")]

QUICK_RETRY = '[delivery]\nunknown_retry = "1s"\n'


def office(folder: Path, kamailio: Kamailio, *sections: str) -> GatewayProcess:
    """A gateway that is the extension ``bot`` of that registrar."""
    return GatewayProcess(
        folder, account("bot", kamailio), SIMULATED_PHONE, EVERYBODY_MAY, *sections
    )


async def test_two_extensions_chat_with_the_bot(tmp_path: Path, kamailio: Kamailio) -> None:
    async with (
        office(tmp_path, kamailio) as gateway,
        SipUserAgent("101", kamailio.port) as anna,
        SipUserAgent("102", kamailio.port) as bert,
    ):
        await gateway.registered()
        await anna.register()
        await bert.register()

        answer_to_anna = await anna.ask("bot", "ping")
        answer_to_bert = await bert.ask("bot", "whoami")

        assert answer_to_anna.startswith("OK ping")
        assert "sip:102@office.example" in answer_to_bert
        assert anna.received.empty()
        history = await gateway.history("ping with:101")
        assert {item["direction"] for item in history} == {"inbound", "outbound"}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_phone_command_is_carried_out(
    tmp_path: Path, kamailio: Kamailio, transport: str
) -> None:
    bot = account("bot", kamailio, transport=transport)
    async with (
        GatewayProcess(tmp_path, bot, SIMULATED_PHONE, EVERYBODY_MAY) as gateway,
        SipUserAgent("101", kamailio.port) as anna,
    ):
        await gateway.registered()
        await anna.register()

        answer = await anna.ask("bot", "dial 1002")

        assert answer.startswith("OK dial 1002")
        assert "simulated" in answer
        async with gateway.client() as client:
            audit = await client.get("/v1/commands")
        assert [(i["verb"], i["argument"], i["outcome"]) for i in audit["items"]] == [
            ("dial", "1002", "confirmed")
        ]


async def test_one_extension_writes_to_another_through_the_bot(
    tmp_path: Path, kamailio: Kamailio
) -> None:
    async with (
        office(tmp_path, kamailio) as gateway,
        SipUserAgent("101", kamailio.port) as anna,
        SipUserAgent("102", kamailio.port) as bert,
    ):
        await gateway.registered()
        await anna.register()
        await bert.register()

        answer = await anna.ask("bot", "send 102 lunch at noon")

        assert answer.startswith("OK send 102")
        assert (await bert.next_message()).text == "101: lunch at noon"


async def test_a_long_text_arrives_in_numbered_parts(
    tmp_path: Path, kamailio: Kamailio
) -> None:
    async with (
        office(tmp_path, kamailio) as gateway,
        SipUserAgent("101", kamailio.port) as anna,
    ):
        await gateway.registered()
        await anna.register()

        message = await gateway.send("101", "größer " * 200, wait=15)

        parts = [(await anna.next_message()).text for _ in range(3)]
        assert [part[:5] for part in parts] == ["(1/3)", "(2/3)", "(3/3)"]
        assert max(len(part.encode()) for part in parts) <= 700
        assert (message["status"], message["attempts"]) == ("delivered", 3)


async def test_a_user_never_seen_is_failed_404(tmp_path: Path, kamailio: Kamailio) -> None:
    async with office(tmp_path, kamailio, QUICK_RETRY) as gateway:
        await gateway.registered()

        message = await gateway.send("nobody", "hello?", wait=15)

        assert message["status"] == "failed"
        assert message["sip"] == {"status": 404, "reason": "Not Found"}
        assert message["attempts"] == 2


async def test_one_who_is_away_gets_it_when_back(tmp_path: Path, kamailio: Kamailio) -> None:
    async with (
        office(tmp_path, kamailio) as gateway,
        SipUserAgent("101", kamailio.port) as anna,
    ):
        await gateway.registered()
        await anna.register()
        await anna.ask("bot", "ping")
        await anna.leave()
        sent = await gateway.send("101", "call me back")

        async def waiting() -> bool:
            return bool((await gateway.message(sent["id"]))["status"] == "waiting")

        await eventually(waiting)
        await anna.come_back()
        received = await anna.next_message(60)

        assert received.text == "call me back"
        assert await _status(gateway, sent["id"]) == "delivered"


async def test_a_restarted_registrar_is_registered_with_again(
    tmp_path: Path, kamailio: Kamailio
) -> None:
    short = account("bot", kamailio) + "expires = 10\n"
    async with (
        GatewayProcess(tmp_path, short, SIMULATED_PHONE, EVERYBODY_MAY) as gateway,
        SipUserAgent("101", kamailio.port) as anna,
    ):
        await gateway.registered()
        await anna.register()
        await anna.ask("bot", "ping")

        async def answer_is_settled() -> bool:
            return bool(await gateway.history("is:delivered ping"))

        await eventually(answer_is_settled)  # or it would be sent once more
        kamailio.stop()
        sent = await gateway.send("101", "sent while the registrar was away")

        kamailio.start()
        await anna.register()

        assert (await anna.next_message(60)).text == "sent while the registrar was away"
        assert await _status(gateway, sent["id"]) == "delivered"

        async def reaches_the_bot() -> bool:
            return await anna.send("bot", "ping") == 200

        await eventually(reaches_the_bot, 60)
        assert (await anna.next_message()).text.startswith("OK ping")


async def test_a_clean_stop_unregisters(tmp_path: Path, kamailio: Kamailio) -> None:
    async with (
        office(tmp_path, kamailio) as gateway,
        SipUserAgent("101", kamailio.port) as anna,
    ):
        await gateway.registered()
        await anna.register()
        assert await anna.send("bot", "ping") == 200

        exit_code = await gateway.stop()

        assert exit_code == 0, gateway.log()
        assert await anna.send("bot", "ping") == 404


async def test_words_that_go_around_the_registrar_are_refused(
    tmp_path: Path, kamailio: Kamailio
) -> None:
    async with (
        office(tmp_path, kamailio) as gateway,
        SipUserAgent("101", kamailio.port) as anna,
        SipUserAgent("101", gateway.sip_port) as forger,
    ):
        await gateway.registered()
        await anna.register()
        through_registrar = await anna.ask("bot", "dial 1002")

        straight = await forger.send("bot", "dial 1002")

        assert through_registrar.startswith("OK dial 1002")
        assert straight == 200  # PJSIP answers before anybody can look at it
        assert await forger.silence(2)
        assert anna.received.empty()
        history = await gateway.history("dial")
        assert sorted(i["status"] for i in history if i["direction"] == "inbound") == [
            "received",
            "refused",
        ]
        async with gateway.client() as client:
            audit = (await client.get("/v1/commands"))["items"]
        assert sorted(item["outcome"] for item in audit) == ["confirmed", "refused"]


async def test_a_stranger_in_the_domain_of_the_registrar_gets_no_reply(
    tmp_path: Path, kamailio: Kamailio
) -> None:
    async with (
        office(tmp_path, kamailio) as gateway,
        SipUserAgent("101", kamailio.port) as anna,
    ):
        await gateway.registered()
        await anna.register()
        anna.uri = f"sip:102@{DOMAIN}"

        status = await anna.send("bot", "dial 1002")

        assert status == 403  # what the README asks of the administrator's registrar
        assert await gateway.history() == []


async def _status(gateway: GatewayProcess, message_id: str) -> str:
    """Its final status: the 200 reaches the peer's end before the store's."""

    async def final() -> str:
        status = str((await gateway.message(message_id))["status"])
        return status if status in {"delivered", "failed", "expired"} else ""

    return await eventually(final)
