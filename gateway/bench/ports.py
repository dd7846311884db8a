"""Ports of this machine that nobody has."""

import socket


def free_port() -> int:
    """On UDP and on TCP, at this moment."""
    while True:
        with socket.socket() as tcp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            if is_free(port):
                return port


def is_free(port: int) -> bool:
    """Whether nobody has that UDP port."""
    with socket.socket(type=socket.SOCK_DGRAM) as udp:
        try:
            udp.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
