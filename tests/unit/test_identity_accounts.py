"""The configured accounts with their servers' addresses."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.accounts import REMEMBERED, Accounts, is_own_address, resolve
from gateway.config import Account, Sip
from gateway.identity import AccountIdentity
from gateway.message import InboundRequest, MessageId, uuid7
from tests.fakes import NOON

BOT: dict[str, Any] = {
    "name": "bot",
    "uri": "sip:bot@office.example",
    "username": "bot",
    "password": "x",
}


class Dns:
    """Name service that a test can change."""

    def __init__(self, **names: Collection[str]) -> None:
        self.names = names
        self.asked: list[str] = []
        self.looked_up = asyncio.Event()

    async def resolve(self, host: str) -> Collection[str]:
        self.asked.append(host)
        self.looked_up.set()
        return self.names.get(host.partition(".")[0], ())


def accounts_of(dns: Dns, *trusted: str, **account: Any) -> Accounts:
    return Accounts(
        sip=Sip(
            tls_port=0,
            tls_ca=Path("ca.pem"),
            accounts=(Account(**BOT, **account),),
            trusted_sources=trusted,
        ),
        contact_secrets={"bot": "5ecret"},
        resolve=dns.resolve,
    )


def only(accounts: Accounts) -> AccountIdentity:
    (identity,) = accounts.identities()
    return identity


async def test_the_registrars_addresses_are_trusted_once_known() -> None:
    dns = Dns(office=["10.0.0.5", "10.0.0.6"])
    accounts = accounts_of(dns, registrar="sip:office.example")

    before = only(accounts).sources.trust("UDP", "10.0.0.5:5060")
    await accounts.refresh()
    after = only(accounts).sources

    assert not before
    assert after.trust("UDP", "10.0.0.5:5060")
    assert after.trust("UDP", "10.0.0.6:5060")
    assert not after.trust("UDP", "10.0.0.7:5060")


async def test_a_name_that_is_not_found_any_more_keeps_its_addresses() -> None:
    dns = Dns(office=["10.0.0.5"])
    accounts = accounts_of(dns, registrar="sip:office.example")
    await accounts.refresh()

    dns.names = {}
    await accounts.refresh()

    assert only(accounts).sources.trust("UDP", "10.0.0.5:5060")


async def test_a_name_that_moved_loses_its_old_address() -> None:
    dns = Dns(office=["10.0.0.5"])
    accounts = accounts_of(dns, registrar="sip:office.example")
    await accounts.refresh()

    dns.names = {"office": ["10.0.0.8"]}
    await accounts.refresh()

    assert only(accounts).sources.trust("UDP", "10.0.0.8:5060")
    assert not only(accounts).sources.trust("UDP", "10.0.0.5:5060")


async def test_addresses_are_not_looked_up() -> None:
    dns = Dns()
    accounts = accounts_of(
        dns, "10.1.0.0/16", "[2001:db8::1]:5060", registrar="sip:10.0.0.5:5080"
    )
    await accounts.refresh()

    assert dns.asked == []
    assert only(accounts).sources.trust("UDP", "10.0.0.5:5080")
    assert only(accounts).sources.trust("UDP", "10.1.2.3:777")
    assert only(accounts).sources.trust("UDP", "[2001:db8::1]:5060")


async def test_the_names_are_followed_while_it_runs() -> None:
    dns = Dns(office=["10.0.0.5"])
    accounts = Accounts(
        sip=Sip(accounts=(Account(**BOT, registrar="sip:office.example"),)),
        contact_secrets={},
        resolve=dns.resolve,
        refresh_every=timedelta(),
    )

    following = asyncio.create_task(accounts.run())
    async with asyncio.timeout(5):
        await dns.looked_up.wait()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)

    assert dns.asked[0] == "office.example"


@pytest.mark.parametrize(
    ("account", "next_hop"),
    [
        pytest.param({}, "", id="local"),
        pytest.param({"registrar": "sip:office.example"}, "office.example:5060", id="udp"),
        pytest.param(
            {"registrar": "sip:office.example;transport=tls"}, "office.example:5061", id="tls"
        ),
        pytest.param({"registrar": "sips:office.example"}, "office.example:5061", id="sips"),
        pytest.param(
            {"registrar": "sip:office.example", "proxy": "sip:10.0.0.5:5080;lr"},
            "10.0.0.5:5080",
            id="proxy",
        ),
    ],
)
def test_the_next_hop_is_the_proxy_or_the_registrar(
    account: dict[str, str], next_hop: str
) -> None:
    assert only(accounts_of(Dns(), **account)).next_hop == next_hop


@pytest.mark.parametrize(
    ("account", "proxied"),
    [
        pytest.param({"registrar": "sip:office.example"}, False, id="udp"),
        pytest.param({"registrar": "sip:office.example;transport=TLS"}, True, id="tls"),
        pytest.param({"registrar": "sips:office.example"}, True, id="sips"),
        pytest.param({"proxy": "sip:10.0.0.5;lr"}, True, id="proxy"),
    ],
)
def test_a_registrar_over_tls_is_the_outbound_proxy_too(
    account: dict[str, str], *, proxied: bool
) -> None:
    assert only(accounts_of(Dns(), **account)).proxied is proxied


def test_only_an_account_without_registrar_trusts_loopback() -> None:
    local = only(accounts_of(Dns()))
    registered = only(accounts_of(Dns(), registrar="sip:10.0.0.5"))

    assert local.sources.trust("UDP", "127.0.0.1:40000")
    assert not registered.sources.trust("UDP", "127.0.0.1:40000")


def test_over_tcp_only_a_trusted_network_makes_loopback_one() -> None:
    """A trusted address has a port, which tells programs apart over UDP alone."""
    local = only(accounts_of(Dns()))
    by_address = only(accounts_of(Dns(), "127.0.0.1:5060", proxy="sip:127.0.0.1"))
    by_network = only(accounts_of(Dns(), "127.0.0.0/8"))

    assert not local.sources.trust("TCP", "127.0.0.1:40000")
    assert not by_address.sources.trust("TCP", "127.0.0.1:40000")
    assert by_network.sources.trust("TCP", "127.0.0.1:40000")


def test_a_registrar_on_this_machine_is_trusted_over_tcp() -> None:
    registered = only(accounts_of(Dns(), registrar="sip:127.0.0.1"))

    assert registered.sources.trust("TCP", "127.0.0.1:40000")


def test_an_account_without_registrar_has_no_contact_to_prove_by() -> None:
    assert only(accounts_of(Dns())).contact_secret == ""
    assert only(accounts_of(Dns(), registrar="sip:10.0.0.5")).contact_secret == "5ecret"


REQUEST = InboundRequest(
    id=MessageId(uuid7(NOON)),
    received_at=NOON,
    transport="UDP",
    source="127.0.0.1:40000",
    request_uri="sip:bot@127.0.0.1:5070",
    from_uri="sip:101@127.0.0.1",
    from_tag="a",
    to_uri="sip:bot@127.0.0.1",
    call_id="c1",
    cseq=1,
    content_type="text/plain",
    text="ping",
)


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(replace(REQUEST, source="192.0.2.1:5060"), id="source"),
        pytest.param(replace(REQUEST, transport="TCP"), id="transport"),
        pytest.param(replace(REQUEST, request_uri="sip:boss@127.0.0.1"), id="request-uri"),
        pytest.param(replace(REQUEST, from_uri="102"), id="from"),
    ],
)
def test_what_a_sender_proved_proves_nothing_for_another(forged: InboundRequest) -> None:
    accounts = accounts_of(Dns())

    proven = [accounts.recognise(REQUEST).proven for _ in range(2)]

    assert proven == [True, True]
    assert not accounts.recognise(forged).proven


def test_the_identity_that_is_asserted_is_looked_at_each_time() -> None:
    accounts = accounts_of(Dns(), identity="pai")
    anna, ben = (
        replace(REQUEST, asserted_identity=f"sip:{n}@office.example") for n in (101, 102)
    )

    peers = [accounts.recognise(request).peer for request in (anna, ben, anna)]

    assert peers == [f"sip:{n}@office.example" for n in (101, 102, 101)]


async def test_who_was_proven_is_in_doubt_once_the_name_moved() -> None:
    dns = Dns(office=["10.0.0.5"])
    accounts = accounts_of(dns, proxy="sip:office.example")
    await accounts.refresh()
    request = replace(REQUEST, source="10.0.0.5:5060")

    before = accounts.recognise(request)
    dns.names = {"office": ["10.0.0.8"]}
    await accounts.refresh()
    after = accounts.recognise(request)

    assert before.proven
    assert not after.proven


def test_many_senders_are_recognised() -> None:
    """More than are remembered."""
    accounts = accounts_of(Dns())
    senders = [f"sip:{n}@127.0.0.1" for n in range(REMEMBERED + 1)]

    peers = [accounts.recognise(replace(REQUEST, from_uri=uri)).peer for uri in senders]

    assert peers == senders


@pytest.mark.parametrize(
    ("host", "own"),
    [
        pytest.param("127.0.0.1", True, id="loopback"),
        pytest.param("localhost", True, id="localhost"),
        pytest.param("192.0.2.1", False, id="documentation-address"),
        pytest.param("0.0.0.0", False, id="unspecified"),
        pytest.param("elsewhere.example", False, id="another-name"),
    ],
)
def test_an_address_of_this_machine_is_known(host: str, own: bool) -> None:  # noqa: FBT001  a table
    assert is_own_address(host) is own


async def test_the_systems_resolver_is_asked() -> None:
    assert "127.0.0.1" in await resolve("localhost")


async def test_a_name_that_cannot_be_one_resolves_to_nothing() -> None:
    """The encoding of names raises UnicodeError before any server is asked."""
    assert list(await resolve("office..example")) == []
