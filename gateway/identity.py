"""Which account a request is for, and whether its sender is who From says."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal

from gateway.address import Aor, SipUri
from gateway.errors import AddressError
from gateway.message import InboundRequest

CONTACT_PARAMETER = "gw"
"""Of the Contact that an account registers; it comes back in the Request-URI."""

ANONYMOUS = Aor("sip:anonymous@anonymous.invalid")  # RFC 3323, section 4.1.1.3

IsOwnAddress = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where requests come from whose From was checked by somebody we trust."""

    hosts: frozenset[tuple[str, int]] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    udp_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Trusted over UDP alone."""

    def trust(self, transport: str, source: str) -> bool:
        """Over UDP the port counts too; a TCP or TLS client's port is any."""
        host, port = split_source(source)
        networks = self.networks
        if transport.upper() == "UDP":
            if (host, port) in self.hosts:
                return True
            networks += self.udp_networks
        elif any(host == trusted for trusted, _ in self.hosts):
            return True
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in networks)


def split_source(source: str) -> tuple[str, int]:
    """``host:port``, with an IPv6 host in brackets; an IPv4 address inside IPv6 is IPv4."""
    host, _, port = source.rpartition(":")
    host = host.strip("[]").lower()
    if ":" in host and (mapped := IPv6Address(host).ipv4_mapped) is not None:
        host = str(mapped)
    return host, int(port)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountIdentity:
    """An account with what is known of its surroundings."""

    name: str
    uri: SipUri
    registered: bool
    """It has a registrar: what is meant for it comes by the Contact it registered."""
    next_hop: str = ""
    """``host:port`` of its outbound proxy, else of its registrar; empty without either."""
    proxied: bool = False
    """Everything it sends takes the next hop, other domains included."""
    contact_secret: str = ""
    sources: Sources = Sources()
    mode: Literal["bot", "record"] = "bot"
    identity: Literal["from", "pai"] = "from"

    @property
    def aor(self) -> Aor:
        return self.uri.aor

    @property
    def domain(self) -> str:
        return self.uri.host


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What a request turned out to be."""

    account: AccountIdentity | None
    peer: Aor
    doubt: str = ""
    """Why the sender is not proven, and what to set if it should be; empty: proven."""
    own_words: bool = False
    """From names an account of ours: a message of our own that came round."""

    @property
    def proven(self) -> bool:
        return not self.doubt


def recognise(
    request: InboundRequest,
    accounts: Sequence[AccountIdentity],
    is_own_address: IsOwnAddress,
) -> Recognised:
    """Proven: a trusted source and, for a registered account, its Contact's parameter.

    From proves nothing by itself, and on one machine the address does not either.
    """
    claimed = _aor(request.from_uri)
    account, by_contact = _account(request.request_uri, accounts, is_own_address)
    if account is None:
        doubt = f"no account is {request.request_uri}; see uri in [[sip.accounts]]"
        return Recognised(account=None, peer=claimed or ANONYMOUS, doubt=doubt)
    peer = claimed
    doubt = _doubt(request, account, by_contact=by_contact)
    if not doubt and account.identity == "pai":
        peer = _aor(request.asserted_identity)
        if peer is None:
            doubt = (
                f"{request.source} sent no P-Asserted-Identity; let it assert one, or set"
                f' identity = "from" for account {account.name}'
            )
    if not doubt and peer is None:
        doubt = f"From is no SIP URI: {request.from_uri[:80]!r}"
    return Recognised(
        account=account,
        peer=peer or claimed or ANONYMOUS,
        doubt=doubt,
        own_words=any(peer == own.aor for own in accounts),
    )


def _doubt(request: InboundRequest, account: AccountIdentity, *, by_contact: bool) -> str:
    if not account.sources.trust(request.transport, request.source):
        if not account.registered and account.sources.trust("UDP", request.source):
            return (
                f"it came from {request.source} over {request.transport}, as any web page that"
                " is open on this machine could send it; let its sender use UDP, or, to trust"
                ' such connections, add "127.0.0.0/8" to trusted_sources in [sip]'
            )
        return (
            f"{request.source} is not trusted for account {account.name}; if it is a SIP"
            f' server that authenticates its users, add "{request.source}" to'
            " trusted_sources in [sip]"
        )
    if account.registered and not by_contact:
        return (
            f"it did not come by the registration of account {account.name}; the server at"
            f" {request.source} must route to the registered Contact, or, for a static"
            " route, the account must have no registrar"
        )
    return ""


def _account(
    request_uri: str, accounts: Sequence[AccountIdentity], is_own_address: IsOwnAddress
) -> tuple[AccountIdentity | None, bool]:
    """The account, and whether the Contact's parameter named it."""
    try:
        uri = SipUri.parse(request_uri)
    except AddressError:
        return None, False
    given = (uri.parameter(CONTACT_PARAMETER) or "").encode()
    for account in accounts:
        secret = account.contact_secret.encode()
        if secret and secrets.compare_digest(given, secret):
            return account, True
    for account in accounts:
        if uri.user == account.uri.user and uri.host == account.domain:
            return account, False
    for account in accounts:
        if uri.user == account.uri.user and is_own_address(uri.host):
            return account, False
    return None, False


def _aor(uri: str) -> Aor | None:
    try:
        return SipUri.parse(uri).aor
    except AddressError:
        return None
