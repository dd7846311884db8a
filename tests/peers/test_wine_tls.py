"""SIP over TLS on Windows, where the SIP library has none."""

import asyncio
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.peers.wine import WindowsPython, windows_path

pytestmark = [pytest.mark.peer("wine", "openssl"), pytest.mark.timeout(300)]


async def test_the_user_is_told_what_to_do_instead(
    windows_python: WindowsPython, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "authority")
    configuration = tmp_path / "gateway.toml"
    configuration.write_text(
        f"""
data_dir = '{windows_path(tmp_path / "data")}'
[sip]
udp_port = 0
tcp_port = 0
tls_port = 0
tls_ca = '{windows_path(authority.certificate)}'
[http]
port = 0
[phone]
driver = "none"
"""
    )

    ended = await asyncio.to_thread(
        windows_python.run, "-m", "gateway", "run", "--config", windows_path(configuration)
    )

    assert ended.returncode == 2, ended.stdout
    assert "built without TLS" in ended.stdout
    assert "VPN" in ended.stdout
