"""A real registrar: Kamailio on a loopback port of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from string import Template
from typing import Self

from gateway.bench.ports import free_port, is_free

DOMAIN = "office.example"
PASSWORD = "correct-horse"
"""Of every account: Kamailio checks it without a database."""

_CONFIGURATION = Template("""
debug=1
log_stderror=yes
fork=yes
children=2
tcp_children=2
auto_aliases=no
listen=udp:127.0.0.1:$port
listen=tcp:127.0.0.1:$port
alias="$domain"

mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"

# Bindings are in memory alone: a restart loses them, as a stock registrar's does.
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_contacts", 4)
modparam("registrar", "min_expires", 10)

request_route {
    if (!mf_process_maxfwd_header("10")) {
        sl_send_reply("483", "Too Many Hops");
        exit;
    }
    if (is_present_hf("Route")) {
        loose_route();      # the outbound proxy's own entry, which is this server
    }
    if (is_method("REGISTER")) {
        if (!pv_www_authenticate("$domain", "$password", "0")) {
            www_challenge("$domain", "0");
            exit;
        }
        if ($$au != $$tU) {
            sl_send_reply("403", "Not Your Address");
            exit;
        }
        save("location");
        exit;
    }
    if (!is_method("MESSAGE")) {
        sl_send_reply("405", "Method Not Allowed");
        exit;
    }
    if (!pv_proxy_authenticate("$domain", "$password", "0")) {
        proxy_challenge("$domain", "0");
        exit;
    }
    if ($$au != $$fU) {
        sl_send_reply("403", "From Is Not Yours");
        exit;
    }
    consume_credentials();
    if (!lookup("location")) {
        sl_send_reply("404", "Not Found");      # offline and unknown alike
        exit;
    }
    t_relay();
}
""")


def stock_configuration(port: int) -> str:
    return _CONFIGURATION.substitute(port=port, domain=DOMAIN, password=PASSWORD)


class Kamailio:
    """The registrar of ``office.example``; it may be stopped and started again."""

    def __init__(self, configure: Callable[[int], str] = stock_configuration) -> None:
        """*configure* writes the configuration for the port it is given."""
        self.port = free_port()
        self._configure = configure
        self._folder = Path(tempfile.mkdtemp(prefix="kamailio-"))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def proxy(self) -> str:
        """What a user agent that cannot resolve the domain is given as outbound proxy."""
        return f"sip:127.0.0.1:{self.port};lr"

    def __enter__(self) -> Self:
        (self._folder / "kamailio.cfg").write_text(self._configure(self.port))
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Returns when it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("kamailio", "-f", str(self._folder / "kamailio.cfg")),
                    *("-DD", "-E", "-m", "64", "-M", "8"),
                    *("-Y", str(self._folder), "-P", str(self._folder / "pid")),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 15
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Kamailio did not start:\n{self.log()[-3000:]}")

    def stop(self) -> None:
        """Returns when its port is free.

        Asked politely, it now and then waits a minute for its own child processes.
        """
        if self._process is None:
            return
        if sys.platform != "win32":
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(15)
        self._process = None
        deadline = time.monotonic() + 15
        while not is_free(self.port):
            assert time.monotonic() < deadline, f"port {self.port} stays taken"
            time.sleep(0.01)

    def restart(self) -> None:
        """All bindings are lost."""
        self.stop()
        self.start()

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def _answers(self) -> bool:
        """Whether it answers an OPTIONS request, in 0.2 s."""
        with socket.socket(type=socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            probe.bind(("127.0.0.1", 0))
            probe.connect(("127.0.0.1", self.port))
            here = f"127.0.0.1:{probe.getsockname()[1]}"
            request = (
                f"OPTIONS sip:127.0.0.1:{self.port} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{time.monotonic_ns()}\r\n"
                f"From: <sip:probe@{DOMAIN}>;tag=1\r\nTo: <sip:probe@{DOMAIN}>\r\n"
                f"Call-ID: {time.monotonic_ns()}@{here}\r\nCSeq: 1 OPTIONS\r\n"
                "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            )
            try:
                probe.send(request.encode())
                return bool(probe.recv(4000))
            except TimeoutError:
                return False
            except ConnectionRefusedError:
                time.sleep(0.05)
                return False
