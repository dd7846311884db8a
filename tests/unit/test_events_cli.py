"""``sip-gateway events`` where there is no MicroSIP."""

import sys

import pytest
from click.testing import CliRunner

from gateway.cli import main

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there may be a MicroSIP here")


@pytest.mark.parametrize("command", ["install", "uninstall", "status"])
def test_it_says_that_a_windows_pc_is_needed(command: str) -> None:
    result = CliRunner().invoke(main, ["events", command])

    assert result.exit_code == 2
    assert "on that Windows PC" in result.stderr
    assert "--demo" not in result.stderr
