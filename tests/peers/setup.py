"""Installs the programs that the tests talk to, on Debian as root."""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
_MODULES = "/usr/lib/x86_64-linux-gnu/kamailio/modules"
KAMAILIO_TLS = f"{_MODULES}/tls.so"
KAMAILIO_DATABASES = (f"{_MODULES}/db_sqlite.so", f"{_MODULES}/db_postgres.so")
DENY_STARTS = "#!/bin/sh\nexit 101\n"


@dataclass(frozen=True)
class Peer:
    """Debian packages, and the programs by which they are known to be there."""

    packages: tuple[str, ...]
    programs: tuple[str, ...]
    purpose: str


PEERS = (
    Peer(("kamailio",), ("kamailio",), "SIP registrar: digest, forking, 404, restarts"),
    Peer(("kamailio-tls-modules",), (KAMAILIO_TLS,), "the same over TLS"),
    Peer(
        ("kamailio-sqlite-modules", "kamailio-postgres-modules"),
        KAMAILIO_DATABASES,
        "the benchmark's rival",
    ),
    Peer(("openssl",), ("openssl",), "certificates for the tests of TLS"),
    Peer(("sip-tester",), ("sipp",), "SIPp: load, kill -9 under load"),
    Peer(("baresip-core",), ("baresip",), "somebody else's SIP client"),
    Peer(
        ("postgresql-15",),
        ("/usr/lib/postgresql/15/bin/postgres",),
        "the other database, beside SQLite",
    ),
    Peer(
        ("wine", "wine64", "mingw-w64", "xvfb"),
        ("wine", "x86_64-w64-mingw32-gcc", "Xvfb"),
        "the Windows side: DDE, windows, the whole gateway",
    ),
    Peer(("buildah", "debootstrap"), ("buildah", "debootstrap"), "builds docker/Dockerfile"),
    Peer(("iproute2",), ("ip",), "networks that are cut"),
)


def installed(program: str) -> bool:
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"  # noqa: TID251  runs before anything of the project
    return shutil.which(program, os.F_OK, path) is not None  # a module is not executable


def absent(peers: tuple[Peer, ...]) -> tuple[Peer, ...]:
    return tuple(p for p in peers if not all(installed(name) for name in p.programs))


def needed() -> tuple[Peer, ...]:
    missing = absent(PEERS)
    if find_spec("ensurepip") is None or find_spec("venv") is None:
        missing += (Peer(("python3-venv",), (), "the tests' own virtual environment"),)
    return missing


def is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def say(text: str) -> None:
    print(f"peers: {text}", flush=True)  # noqa: T201


def apt_get(*arguments: str) -> None:
    command = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}  # noqa: TID251
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(
            f"peers: {' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )


def install(missing: tuple[Peer, ...]) -> None:
    packages = [package for peer in missing for package in peer.packages]
    with ExitStack() as stack:
        if not POLICY.exists():
            # The tests start these servers themselves, on ports of their own: installing
            # one must not start it as a service of the machine.
            POLICY.write_text(DENY_STARTS)
            POLICY.chmod(0o755)
            stack.callback(POLICY.unlink)
        say("reading the package lists")
        apt_get("update")
        say(f"installing {' '.join(packages)}")
        apt_get("install", "--yes", "--no-install-recommends", *packages)


def main() -> None:
    missing = needed()
    if not missing:
        say("all there")
        return
    for peer in missing:
        say(f"missing: {' '.join(peer.packages)} ({peer.purpose})")
    if not (is_root() and installed("apt-get")):
        packages = " ".join(package for peer in missing for package in peer.packages)
        sys.exit(
            "peers: only root on Debian 12 can install them here. Run as root:\n"
            f"  apt-get install --no-install-recommends {packages}"
        )
    install(missing)
    if still := [name for peer in absent(PEERS) for name in peer.programs]:
        sys.exit(f"peers: still not there after the installation: {' '.join(still)}")
    say("installed")


if __name__ == "__main__":
    main()
