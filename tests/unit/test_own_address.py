"""Whether an address is this machine's, where the system does not let one ask."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gateway.accounts import is_own_address

assert sys.platform != "win32"  # resource


@contextmanager
def no_more_sockets() -> Iterator[None]:
    """As with IPv6 switched off: the socket itself cannot be made."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("host", ["192.0.2.1", "[::1]"])
def test_an_address_that_cannot_be_probed_is_none_of_this_machine(host: str) -> None:
    with no_more_sockets():
        own = is_own_address(host)

    assert not own
