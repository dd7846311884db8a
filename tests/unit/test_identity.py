"""Which account a request is for, and who may be believed."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_network

import pytest

from gateway.address import Aor, SipUri
from gateway.identity import (
    ANONYMOUS,
    AccountIdentity,
    Recognised,
    Sources,
    recognise,
    split_source,
)
from gateway.message import InboundRequest, MessageId, uuid7
from tests.fakes import NOON

OFFICE = AccountIdentity(
    name="office",
    uri=SipUri.parse("sip:bot@office.example"),
    registered=True,
    contact_secret="5ecret",
    sources=Sources(hosts=frozenset({("10.0.0.5", 5060)})),
)
LOCAL = AccountIdentity(
    name="local",
    uri=SipUri.parse("sip:desk@localhost"),
    registered=False,
    sources=Sources(udp_networks=(ip_network("127.0.0.0/8"), ip_network("::1/128"))),
)
REQUEST = InboundRequest(
    id=MessageId(uuid7(NOON)),
    received_at=NOON,
    transport="UDP",
    source="10.0.0.5:5060",
    request_uri="sip:bot@10.0.0.9:5070;gw=5ecret",
    from_uri="sip:101@office.example",
    from_tag="a",
    to_uri="sip:bot@office.example",
    call_id="c1",
    cseq=1,
    content_type="text/plain",
    text="dial 1002",
)


def recognised(
    request: InboundRequest, accounts: Sequence[AccountIdentity] = (OFFICE, LOCAL)
) -> Recognised:
    return recognise(request, accounts, lambda host: host in {"10.0.0.9", "127.0.0.1"})


def test_the_registrar_by_the_registered_contact_proves_the_sender() -> None:
    result = recognised(REQUEST)

    assert result == Recognised(account=OFFICE, peer=Aor("sip:101@office.example"))
    assert result.proven


@pytest.mark.parametrize(
    ("changes", "doubt"),
    [
        pytest.param(
            {"source": "10.0.0.66:5060"}, '"10.0.0.66:5060" to trusted_sources', id="source"
        ),
        pytest.param(
            {"source": "10.0.0.5:40000"}, '"10.0.0.5:40000" to trusted_sources', id="udp-port"
        ),
        pytest.param(
            {"request_uri": "sip:bot@10.0.0.9:5070"}, "registration", id="no-parameter"
        ),
        pytest.param(
            {"request_uri": "sip:bot@10.0.0.9:5070;gw=guess"}, "registration", id="guessed"
        ),
        pytest.param({"request_uri": "sip:bot@office.example;gw="}, "registration", id="empty"),
        pytest.param({"from_uri": "tel:101"}, "From is no SIP URI", id="no-sip-uri"),
    ],
)
def test_anything_less_proves_nothing_and_says_what_to_set(
    changes: dict[str, str], doubt: str
) -> None:
    result = recognised(replace(REQUEST, **changes))  # type: ignore[arg-type]  # texts only

    assert result.account == OFFICE
    assert not result.proven
    assert doubt in result.doubt


@pytest.mark.parametrize("transport", ["TCP", "TLS"])
def test_the_port_of_a_connection_is_any(transport: str) -> None:
    request = replace(REQUEST, transport=transport, source="10.0.0.5:49152")

    assert recognised(request).proven


@pytest.mark.parametrize(
    ("request_uri", "account"),
    [
        pytest.param("sip:bot@office.example", OFFICE, id="own-domain"),
        pytest.param("sip:bot@10.0.0.9:5070", OFFICE, id="own-address"),
        pytest.param("sip:desk@127.0.0.1:5070", LOCAL, id="local-account"),
        pytest.param("sip:whoever@elsewhere;gw=5ecret", OFFICE, id="parameter-first"),
        pytest.param("sip:nobody@office.example", None, id="unknown-user"),
        pytest.param("sip:bot@elsewhere.example", None, id="unknown-host"),
        pytest.param("sip:10.0.0.9:5070", None, id="no-user"),
        pytest.param("not a uri", None, id="not-a-uri"),
    ],
)
def test_the_account_is_named_by_parameter_or_by_user_and_host(
    request_uri: str, account: AccountIdentity | None
) -> None:
    assert recognised(replace(REQUEST, request_uri=request_uri)).account == account


def test_an_unknown_recipient_is_never_proven() -> None:
    result = recognised(replace(REQUEST, request_uri="sip:nobody@office.example"))

    assert not result.proven
    assert "[[sip.accounts]]" in result.doubt


def test_a_local_account_believes_loopback_only() -> None:
    here = replace(REQUEST, request_uri="sip:desk@127.0.0.1:5070", source="127.0.0.1:61000")
    lan = replace(here, source="10.0.0.66:5060")

    assert recognised(here).proven
    assert not recognised(lan).proven


@pytest.mark.parametrize("source", ["127.0.0.1:61000", "[::1]:61000", "[::ffff:127.0.0.1]:9"])
def test_a_local_account_does_not_believe_a_connection_of_this_machine(source: str) -> None:
    """A web page in a browser makes one to any port."""
    here = replace(REQUEST, request_uri="sip:desk@127.0.0.1:5070", source=source)

    result = recognised(replace(here, transport="TCP"))

    assert recognised(here).proven
    assert not result.proven
    assert 'UDP, or, to trust such connections, add "127.0.0.0/8"' in result.doubt


def test_a_local_accounts_parameter_is_not_one() -> None:
    """An empty secret must not match an empty parameter."""
    request = replace(REQUEST, request_uri="sip:nobody@localhost;gw")

    assert recognised(request).account is None


def test_with_pai_the_asserted_identity_is_the_sender() -> None:
    office = replace(OFFICE, identity="pai")
    request = replace(REQUEST, asserted_identity="sip:102@office.example")

    result = recognised(request, [office])

    assert (result.peer, result.proven) == (Aor("sip:102@office.example"), True)


def test_with_pai_a_request_without_it_is_not_proven() -> None:
    result = recognised(REQUEST, [replace(OFFICE, identity="pai")])

    assert result.peer == "sip:101@office.example"
    assert 'identity = "from"' in result.doubt


def test_an_untrusted_source_asserts_nothing() -> None:
    forged = replace(
        REQUEST, source="10.0.0.66:5060", asserted_identity="sip:100@office.example"
    )

    result = recognised(forged, [replace(OFFICE, identity="pai")])

    assert (result.peer, result.proven) == (Aor("sip:101@office.example"), False)


def test_a_sender_without_a_sip_uri_is_anonymous() -> None:
    assert recognised(replace(REQUEST, from_uri="")).peer == ANONYMOUS


def test_words_of_our_own_are_recognised() -> None:
    result = recognised(replace(REQUEST, from_uri="sip:desk@localhost"))

    assert result.own_words
    assert not recognised(REQUEST).own_words


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        pytest.param("10.0.0.5:5060", ("10.0.0.5", 5060), id="ipv4"),
        pytest.param("[2001:db8::1]:5060", ("2001:db8::1", 5060), id="ipv6"),
        pytest.param("[::ffff:10.0.0.5]:5060", ("10.0.0.5", 5060), id="ipv4-in-ipv6"),
    ],
)
def test_a_source_is_split_into_host_and_port(source: str, parts: tuple[str, int]) -> None:
    assert split_source(source) == parts
