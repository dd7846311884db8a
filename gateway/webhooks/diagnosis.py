"""What ``doctor`` says of an endpoint of outbound webhooks."""

import asyncio
from urllib.parse import urlsplit

from gateway.config import WebhookEndpoint
from gateway.webhooks.addresses import may_be_reached


async def diagnose_endpoint(endpoint: WebhookEndpoint) -> tuple[str, str]:
    """A grade, ``ok``, ``warn`` or ``fail``, with what to do; nothing is posted."""
    url = urlsplit(endpoint.url)
    host = url.hostname or ""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return "warn", f"{host} has no address now; check url"
    addresses = sorted({str(address[0]) for *_, address in found})
    if not any(_reached(endpoint, address) for address in addresses):
        return "fail", f"nothing is sent to {', '.join(addresses)}; {_remedy(endpoint)}"
    if url.scheme == "http" and not _is_loopback(addresses):
        return "warn", f"{host}: anybody on the way can read what is sent; use https"
    return "ok", f"{host}, {len(endpoint.keys)} secret(s), events {' '.join(endpoint.events)}"


def _reached(endpoint: WebhookEndpoint, address: str) -> bool:
    return may_be_reached(address, private_networks=endpoint.private_networks)


def _remedy(endpoint: WebhookEndpoint) -> str:
    if endpoint.private_networks:
        return "set url to a server of the office or of the internet"
    return "if that is a server of the office, set private_networks = true"


def _is_loopback(addresses: list[str]) -> bool:
    return all(address == "::1" or address.startswith("127.") for address in addresses)
