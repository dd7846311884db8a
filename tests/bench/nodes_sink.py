"""A SIP peer in a process of its own that writes down the order in which MESSAGE come in.

``python -m tests.bench.nodes_sink FILE`` prints its port, and writes a line for each.
"""

import re
import signal
import socket
import sys
from pathlib import Path
from typing import TextIO

from tests.peers.packet import Packet

_BUFFER = 4 << 20
"""Bytes: a burst waits here, it is not lost."""
_PORT = re.compile(r"127\.0\.0\.1:(\d+)")


def main(file: Path) -> None:
    """Until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with socket.socket(type=socket.SOCK_DGRAM) as sip, file.open("w", buffering=1) as log:
        sip.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        sip.bind(("127.0.0.1", 0))
        print(sip.getsockname()[1], flush=True)  # noqa: T201
        _serve(sip, log)


def _serve(sip: socket.socket, log: TextIO) -> None:
    """Each transaction is answered as often as it comes, and written down once."""
    seen: set[tuple[str, str]] = set()
    while True:
        data, source = sip.recvfrom(65_535)
        packet = Packet.parse(data)
        if packet.is_response or packet.method != "MESSAGE":
            continue
        sip.sendto(bytes(packet.response(200, "OK")), source)
        transaction = (packet.header("Call-ID"), packet.header("CSeq"))
        if transaction not in seen:
            seen.add(transaction)
            line = packet.body.decode().partition("\n")[0]
            log.write(f"{_user(packet)}\t{_origin(packet)}\t{line}\n")


def _user(packet: Packet) -> str:
    """Of the Request-URI."""
    return packet.start_line.split()[1].partition(":")[2].partition("@")[0]


def _origin(packet: Packet) -> str:
    """The port of the gateway: the last Via is of who sent it first (RFC 3261, 8.1.1.7)."""
    found = _PORT.search(packet.all("Via")[-1])
    return found[1] if found else "?"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
