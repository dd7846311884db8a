"""Options and rules for the whole suite."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.setup import KAMAILIO_DATABASES, KAMAILIO_TLS, installed, is_root

PEERS = {
    "kamailio": ("kamailio",),
    "kamailio_tls": ("kamailio", KAMAILIO_TLS),
    "kamailio_databases": ("kamailio", *KAMAILIO_DATABASES),
    "openssl": ("openssl",),
    "sipp": ("sipp",),
    "baresip": ("baresip",),
    "postgresql": ("/usr/lib/postgresql/15/bin/postgres",),
    "wine": ("wine", "x86_64-w64-mingw32-gcc", "Xvfb"),
    "buildah": ("buildah", "debootstrap"),
    "hadolint": (str(Path(sys.executable).with_name("hadolint")),),
    "netns": ("ip", "unshare", "mount"),
}
"""The programs by which a peer is known to be installed."""

NEED_ROOT = {"buildah", "netns"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--peers",
        choices=["available", "required"],
        default="available",
        help="required: an absent peer is a failure, never a skip",
    )
    parser.addoption(
        "--examples",
        type=int,
        default=3,
        help="how much the fuzzers and the contract tests try: this many times their least",
    )


def absent_programs(peer: str) -> list[str]:
    missing = [program for program in PEERS[peer] if not installed(program)]
    return missing + (["root"] if peer in NEED_ROOT and not is_root() else [])


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("peer"):
        for peer in marker.args:
            if missing := absent_programs(peer):
                text = f"{peer} is not installed ({', '.join(missing)}): tests/run.sh does it"
                if item.config.getoption("--peers") == "required":
                    pytest.fail(text, pytrace=False)
                pytest.skip(text)


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting of the developer's own reaches a test, nor a test's the developer."""
    kept = dict(os.environ)  # noqa: TID251  the suite owns its environment
    home = tmp_path_factory.mktemp("home")
    for name in [name for name in kept if name.startswith("GATEWAY_")]:
        del os.environ[name]  # noqa: TID251
    os.environ["XDG_DATA_HOME"] = str(home / "data")  # noqa: TID251
    os.environ["XDG_CONFIG_HOME"] = str(home / "config")  # noqa: TID251
    yield
    os.environ.clear()  # noqa: TID251
    os.environ.update(kept)  # noqa: TID251


@pytest.fixture
def examples(pytestconfig: pytest.Config) -> int:
    """How much to try: more on request."""
    return int(pytestconfig.getoption("--examples"))


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder
