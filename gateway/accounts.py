"""The configured accounts with the addresses that their servers have now."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import timedelta
from ipaddress import ip_address, ip_network

from gateway.address import DEFAULT_PORT, SipUri
from gateway.config import Account, Sip
from gateway.identity import AccountIdentity, Recognised, Sources, recognise, split_source
from gateway.message import InboundRequest

log = logging.getLogger(__name__)

Resolve = Callable[[str], Awaitable[Collection[str]]]
"""Gives the addresses of a host name; none when it cannot be resolved."""

_TLS_PORT = 5061
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
"""Trusted by an account without a registrar, over UDP: a browser on this machine connects by
TCP to any port for any web page, and what the page posts can be a whole SIP request."""

REMEMBERED = 4096
"""Senders that are not looked into again at each of their messages."""


class Accounts:
    """The accounts' identities, renewed when DNS changes."""

    def __init__(
        self,
        *,
        sip: Sip,
        contact_secrets: Mapping[str, str],
        resolve: Resolve,
        refresh_every: timedelta = timedelta(minutes=5),
    ) -> None:
        """*contact_secrets* has the contact parameter of each account by its name."""
        self._sip = sip
        self._contact_secrets = contact_secrets
        self._resolve = resolve
        self._refresh_every = refresh_every
        self._addresses: dict[str, frozenset[str]] = {}
        self._identities = self._built()
        self._proven: dict[tuple[str, ...], Recognised] = {}
        """What was found by which evidence; a doubt is looked into each time."""

    def identities(self) -> tuple[AccountIdentity, ...]:
        return self._identities

    def recognise(self, request: InboundRequest) -> Recognised:
        evidence = (  # all that the function of this name looks at
            request.transport,
            request.source,
            request.request_uri,
            request.from_uri,
            request.asserted_identity,
        )
        known = self._proven.get(evidence)
        if known is None:
            known = recognise(request, self._identities, is_own_address)
            if known.proven:
                self._remember(evidence, known)
        return known

    def _remember(self, evidence: tuple[str, ...], proven: Recognised) -> None:
        if len(self._proven) >= REMEMBERED:
            self._proven.clear()
        self._proven[evidence] = proven

    async def refresh(self) -> None:
        """Look the names up again; one that is not found keeps its last addresses."""
        for host in sorted(_names(self._sip)):
            if found := await self._resolve(host):
                self._addresses[host] = frozenset(found)
            else:
                log.warning("no address found for %s", host)
        self._identities = self._built()
        self._proven.clear()

    async def run(self) -> None:
        """Until cancelled: follow the names' addresses."""
        while True:
            await asyncio.sleep(self._refresh_every.total_seconds())
            await self.refresh()

    def _built(self) -> tuple[AccountIdentity, ...]:
        return tuple(
            identity_of(
                account,
                trusted=self._sip.trusted_sources,
                contact_secret=self._contact_secrets.get(account.name, ""),
                addresses=self._addresses,
            )
            for account in self._sip.accounts
        )


def identity_of(
    account: Account,
    *,
    trusted: Sequence[str],
    contact_secret: str,
    addresses: Mapping[str, Collection[str]],
) -> AccountIdentity:
    """The identity of *account*, whose servers' names have these *addresses*."""
    servers = [SipUri.parse(uri) for uri in (account.proxy, account.registrar) if uri]
    named = [(uri.host, _port(uri)) for uri in servers]
    named += [split_source(source) for source in trusted if not _is_network(source)]
    networks = [ip_network(source) for source in trusted if _is_network(source)]
    return AccountIdentity(
        name=account.name,
        uri=SipUri.parse(account.uri),
        registered=account.registrar is not None,
        next_hop=f"{servers[0].host}:{_port(servers[0])}" if servers else "",
        proxied=account.outbound_proxy is not None,
        contact_secret=contact_secret if account.registrar else "",
        sources=Sources(
            hosts=frozenset(
                (address, port)
                for host, port in named
                for address in addresses.get(host.strip("[]"), (host.strip("[]"),))
                # Over TCP any port of it would be trusted; by UDP it is already.
                if account.registrar or not _is_loopback(address)
            ),
            networks=tuple(networks),
            udp_networks=() if account.registrar else _LOOPBACK,
        ),
        mode=account.mode,
        identity=account.identity,
    )


def is_own_address(host: str) -> bool:
    """Whether *host* is an address of this machine, or its name."""
    if host in {"localhost", socket.gethostname().lower()}:
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:  # also when this machine has no IPv6 at all
        return False
    return not address.is_unspecified


async def resolve(host: str) -> Collection[str]:
    """The addresses that the system's resolver gives for *host*."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError):  # the latter for what cannot be a name at all
        return ()
    return {str(item[4][0]) for item in found}


def _names(sip: Sip) -> set[str]:
    """The host names among the servers and trusted sources: addresses need no look-up."""
    servers = [uri for account in sip.accounts for uri in (account.proxy, account.registrar)]
    hosts = {SipUri.parse(uri).host for uri in servers if uri}
    hosts |= {split_source(s)[0] for s in sip.trusted_sources if not _is_network(s)}
    return {host for host in hosts if not _is_address(host)}


def _is_network(source: str) -> bool:
    return "/" in source


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return _is_address(host) and any(ip_address(host) in network for network in _LOOPBACK)


def _port(uri: SipUri) -> int:
    if uri.port is not None:
        return uri.port
    return _TLS_PORT if uri.over_tls else DEFAULT_PORT
