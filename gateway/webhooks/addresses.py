"""Which addresses a webhook may be sent to."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

IpAddress = IPv4Address | IPv6Address

PRIVATE = tuple(
    ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # RFC 6598
        "::1/128",
        "fc00::/7",
    )
)
"""What ``private_networks`` opens; link-local is not among them."""

METADATA = frozenset(
    ip_address(address)
    for address in (
        "100.100.100.200",  # Alibaba Cloud
        "168.63.129.16",  # Azure
        "192.0.0.192",  # Oracle Cloud
        "fd00:ec2::254",  # Amazon EC2
        "fd20:ce::254",  # Google Cloud
    )
)
"""Where clouds hand out credentials, besides the link-local 169.254.169.254."""

_NAT64 = ip_network("64:ff9b::/96")


def may_be_reached(text: str, *, private_networks: bool) -> bool:
    """Whether a connection to the address *text* may be made.

    An IPv6 address that carries an IPv4 address is judged by that one.
    """
    address = _carried(ip_address(text))
    if address in METADATA or address.is_multicast:
        return False
    if any(address in network for network in PRIVATE):
        return private_networks
    return address.is_global and not address.is_reserved


def _carried(address: IpAddress) -> IpAddress:
    if isinstance(address, IPv4Address):
        return address
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address
