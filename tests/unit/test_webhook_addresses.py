"""Where a webhook may go."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given, strategies as st

from gateway.webhooks.addresses import may_be_reached

NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "100.100.100.200",
    "168.63.129.16",
    "fd00:ec2::254",
    "224.0.0.1",
    "239.255.255.250",
    "ff02::1",
    "ff0e::1",
    "0.0.0.0",
    "::",
    "0.1.2.3",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
]
PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "10.0.0.5",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "fd12:3456::1",
]
PUBLIC = ["93.184.215.14", "1.1.1.1", "172.32.0.1", "2606:4700:4700::1111"]

either = st.booleans()


def disguises(address: IPv4Address) -> list[str]:
    """IPv6 addresses that lead to it."""
    number = int(address)
    return [
        str(IPv6Address((0xFFFF << 32) | number)),  # mapped, RFC 4291
        str(IPv6Address((0x2002 << 112) | (number << 80) | 1)),  # 6to4, RFC 3056
        str(IPv6Address((0x64FF9B << 96) | number)),  # NAT64, RFC 6052
        str(IPv6Address((0x20010000 << 96) | (number ^ 0xFFFFFFFF))),  # Teredo, RFC 4380
    ]


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("private_networks", [False, True], ids=["closed", "open"])
def test_some_are_never_reached(address: str, *, private_networks: bool) -> None:
    assert not may_be_reached(address, private_networks=private_networks)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_ones_are_reached_only_if_allowed(address: str) -> None:
    assert may_be_reached(address, private_networks=True)
    assert not may_be_reached(address, private_networks=False)


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("private_networks", [False, True], ids=["closed", "open"])
def test_public_ones_are_reached(address: str, *, private_networks: bool) -> None:
    assert may_be_reached(address, private_networks=private_networks)


@given(address=st.ip_addresses(v=4), private_networks=either)
def test_an_ipv4_address_in_an_ipv6_one_is_judged_alike(
    address: IPv4Address, *, private_networks: bool
) -> None:
    verdict = may_be_reached(str(address), private_networks=private_networks)

    for disguise in disguises(address):
        assert may_be_reached(disguise, private_networks=private_networks) == verdict, disguise


@pytest.mark.parametrize("network", ["169.254.0.0/16", "224.0.0.0/4", "fe80::/10", "ff00::/8"])
@given(data=st.data(), private_networks=either)
def test_no_link_local_or_multicast_address_is_reached(
    network: str, data: st.DataObject, *, private_networks: bool
) -> None:
    address = data.draw(st.ip_addresses(network=network))

    assert not may_be_reached(str(address), private_networks=private_networks)


@given(st.ip_addresses(v=4))
def test_opening_private_networks_opens_nothing_else(address: IPv4Address) -> None:
    opened = may_be_reached(str(address), private_networks=True)
    closed = may_be_reached(str(address), private_networks=False)

    if opened != closed:
        assert opened
        assert address.is_private or address in ip_network("100.64.0.0/10")
