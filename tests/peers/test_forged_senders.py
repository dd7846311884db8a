"""Nobody drives the phone by saying that he is somebody else."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.peers.forger import BOT, Forger, Identity
from tests.peers.gateway_process import (
    EVERYBODY_MAY,
    SIMULATED_PHONE,
    GatewayProcess,
    account,
    eventually,
)
from tests.peers.kamailio import DOMAIN, Kamailio, stock_configuration
from tests.peers.sip_ua import SipUserAgent

pytestmark = [pytest.mark.timeout(180), pytest.mark.peer("kamailio")]

NO_LIMITS = '[limits]\nuntrusted_source = ""\nsender_commands = ""\n'
VICTIM = f"<sip:101@{DOMAIN}>"
LIES = {
    "from": (),
    "asserted": (("P-Asserted-Identity", VICTIM),),
    "preferred": (("P-Preferred-Identity", VICTIM),),
    "contact": (("Contact", VICTIM),),
    "authorization": (("Proxy-Authorization", f'Digest username="101", realm="{DOMAIN}"'),),
    "route": (("Record-Route", "<sip:127.0.0.1;lr>"), ("Route", "<sip:127.0.0.1;lr>")),
}


SPELLINGS = (f"sip:101@{DOMAIN}", f"sip:%31%30%31@{DOMAIN}", f"SIP:101@{DOMAIN.upper()}")


def office(folder: Path, kamailio: Kamailio, **keys: str) -> GatewayProcess:
    """A gateway that is the extension ``bot`` of that registrar."""
    own = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
    return GatewayProcess(
        folder, account("bot", kamailio) + own, SIMULATED_PHONE, EVERYBODY_MAY, NO_LIMITS
    )


def secret_of(gateway: GatewayProcess) -> str:
    """The parameter of the Contact, which nobody is told but the registrar."""
    secrets = json.loads((gateway.data_dir / "contacts.json").read_text())
    return str(secrets["bot"])


def guesses(secret: str) -> dict[str, str]:
    """Request-URIs of who does not know the parameter, or where it does not count."""
    escaped = "".join(f"%{ord(letter):02x}" for letter in secret)
    bot = f"bot@{DOMAIN}"
    return {
        "none": f"sip:{bot}",
        "own address": "sip:bot@127.0.0.1",
        "empty": f"sip:{bot};gw=",
        "without a value": f"sip:{bot};gw",
        "one character less": f"sip:{bot};gw={secret[:-1]}",
        "one character more": f"sip:{bot};gw={secret}0",
        "capitals": f"sip:{bot};gw={secret.upper()}X",
        "escaped": f"sip:{bot};gw={escaped}",
        "escaped name": f"sip:{bot};g%77={secret}",
        "second": f"sip:{bot};gw=0;gw={secret}",
        "another name": f"sip:{bot};gw2={secret}",
        "as a header": f"sip:{bot}?gw={secret}",
        "in the user": f"sip:bot;gw={secret}@{DOMAIN}",
        "in the password": f"sip:bot:;gw={secret}@{DOMAIN}",
        "in the host": f"sip:bot@gw={secret}.{DOMAIN}",
        "quoted": f'sip:{bot};gw="{secret}"',
        "tel": f"tel:bot;gw={secret}",
    }


async def inbound(gateway: GatewayProcess) -> list[dict[str, Any]]:
    return [i for i in await gateway.history() if i["direction"] == "inbound"]


async def settled(gateway: GatewayProcess, count: int) -> list[str]:
    """The statuses of all inbound messages, once there are so many."""

    async def there() -> list[dict[str, Any]]:
        items = await inbound(gateway)
        return items if len(items) >= count else []

    return [str(item["status"]) for item in await eventually(there)]


async def outcomes(gateway: GatewayProcess, count: int) -> list[str]:
    """Of the commands in the audit, once there are so many."""

    async def there() -> list[dict[str, Any]]:
        async with gateway.client() as client:
            items: list[dict[str, Any]] = (await client.get("/v1/commands?limit=200"))["items"]
        return items if len(items) >= count else []

    return sorted(str(item["outcome"]) for item in await eventually(there))


async def test_lies_are_refused_past_the_registrar_and_by_it(
    tmp_path: Path, kamailio: Kamailio
) -> None:
    async with (
        office(tmp_path, kamailio) as gateway,
        SipUserAgent("101", kamailio.port) as anna,
        SipUserAgent("102", kamailio.port) as bert,
        Forger("101", gateway.sip_port) as forger,
    ):
        await gateway.registered()
        await anna.register()
        await bert.register()
        uris = [BOT, gateway.bot]

        straight = [
            await forger.forge("dial 1002", uri, *lie) for lie in LIES.values() for uri in uris
        ]
        by_registrar = []
        for bert.uri in SPELLINGS:
            code = await bert.send("bot", "dial 1002")
            by_registrar.append(code)
        genuine = await anna.ask("bot", "dial 1002")

        assert set(straight) == {200}  # PJSIP answers before anybody can look at it
        assert set(by_registrar) == {403}  # what the README asks of the administrator's
        assert genuine.startswith("OK dial 1002")
        statuses = await settled(gateway, len(straight) + 1)
        assert sorted(statuses) == ["received"] + ["refused"] * len(straight)
        audited = await outcomes(gateway, len(statuses))
        assert audited == ["confirmed"] + ["refused"] * len(straight)
        assert await forger.silence(1)
        assert anna.received.empty()


async def test_the_contact_parameter_can_neither_be_guessed_nor_used_elsewhere(
    tmp_path: Path, kamailio: Kamailio
) -> None:
    """Guessed from the registrar's own address and port, which it leaves to the forger."""
    async with (
        office(tmp_path, kamailio) as gateway,
        Forger("101", gateway.sip_port) as elsewhere,
    ):
        await gateway.registered()
        secret = secret_of(gateway)
        stolen = await elsewhere.forge("dial 1002", f"{gateway.bot};gw={secret}")
        kamailio.stop()

        async with Forger("101", gateway.sip_port, port=kamailio.port) as forger:
            codes = await asyncio.gather(
                *(forger.forge("dial 1002", uri) for uri in guesses(secret).values())
            )
            silent = await forger.silence(1)

        assert stolen == 200
        kept = codes.count(200) + 1
        assert kept > len(codes) - 4  # PJSIP takes some for no request at all
        assert await settled(gateway, kept) == ["refused"] * kept
        assert await outcomes(gateway, kept) == ["refused"] * kept
        assert silent
        assert await elsewhere.silence(0.1)


async def test_a_request_that_a_forger_repeats_or_foretells_is_kept(
    tmp_path: Path, kamailio: Kamailio
) -> None:
    repeated, foretold = Identity("repeated", "a1", 7), Identity("foretold", "a1", 8)
    async with (
        office(tmp_path, kamailio) as gateway,
        Forger("101", kamailio.port) as anna,
        Forger("101", gateway.sip_port) as forger,
    ):
        await gateway.registered()
        await anna.register()

        anna.repeat(repeated)
        for _ in range(3):
            await anna.forge("dial 1002")
        forger.repeat(repeated)
        await forger.forge_over_tcp("dial 1003", gateway.sip_port)
        await forger.forge("dial 1003")
        forger.repeat(foretold)
        await forger.forge_over_tcp("dial 1003", gateway.sip_port)
        anna.repeat(foretold)
        await anna.forge("dial 1004")

        answers = [(await anna.next_message()).text[:12] for _ in range(2)]
        assert answers == ["OK dial 1002", "OK dial 1004"]
        assert await anna.silence(1)
        assert await forger.silence(0.1)
        texts = {(i["text"], i["status"]) for i in await inbound(gateway)}
        assert texts == {
            ("dial 1002", "received"),
            ("dial 1003", "refused"),
            ("dial 1004", "received"),
        }
        audited = await outcomes(gateway, 4)
        assert [outcome for outcome in audited if outcome != "refused"] == ["confirmed"] * 2


async def test_a_request_foretold_at_the_same_time_is_not_lost_but_refused_to_its_sender(
    tmp_path: Path, kamailio: Kamailio
) -> None:
    """PJSIP takes it for the forged one by another way (RFC 3261, section 8.2.2.2)."""
    async with (
        office(tmp_path, kamailio) as gateway,
        Forger("101", kamailio.port) as anna,
        Forger("101", gateway.sip_port, repeated=Identity("foretold", "a1", 8)) as forger,
    ):
        await gateway.registered()
        await anna.register()

        await forger.forge("dial 1003")
        anna.repeat(Identity("foretold", "a1", 8))
        code = await anna.forge("dial 1004")
        anna.repeat(Identity("again", "a1", 9))
        await anna.forge("dial 1004")

        assert code == 482
        assert (await anna.next_message()).text.startswith("OK dial 1004")
        assert sorted(await settled(gateway, 2)) == ["received", "refused"]
        assert await outcomes(gateway, 2) == ["confirmed", "refused"]


def asserting(port: int) -> str:
    """Kamailio says itself who was authenticated, but for 103, and drops what clients say."""
    header = f"P-Asserted-Identity: <sip:$au@{DOMAIN}>\\r\\n"
    return stock_configuration(port).replace(
        "    consume_credentials();",
        '    remove_hf("P-Asserted-Identity");\n'
        f'    if ($au != "103") {{ append_hf("{header}"); }}\n'
        "    consume_credentials();",
    )


async def test_an_asserted_identity_is_the_registrars_word_alone(tmp_path: Path) -> None:
    lie = ("P-Asserted-Identity", VICTIM)
    with Kamailio(asserting) as kamailio:
        async with (
            office(tmp_path, kamailio, identity="pai") as gateway,
            Forger("102", kamailio.port) as bert,
            Forger("103", kamailio.port) as carl,
            Forger("101", gateway.sip_port) as forger,
        ):
            await gateway.registered()
            await bert.register()
            await carl.register()

            await bert.forge("dial 1002", BOT, lie)
            await carl.forge("dial 1003", BOT, lie)
            await forger.forge("dial 1004", BOT, lie)

            assert (await bert.next_message()).text.startswith("OK dial 1002")
            assert sorted(await settled(gateway, 3)) == ["received", "refused", "refused"]
            assert await outcomes(gateway, 3) == ["confirmed", "refused", "refused"]
            [proven] = await gateway.history("1002 is:received")
            assert proven["peer"] == bert.uri
            assert await forger.silence(1)
            assert carl.received.empty()
