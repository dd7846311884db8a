"""What a data folder keeps for the gateway that has it."""

import re
import stat
import sys
from pathlib import Path

import pytest

from gateway.data_folder import DataFolder


def test_a_node_keeps_its_id(tmp_path: Path) -> None:
    with DataFolder(tmp_path) as folder:
        chosen = folder.node()

    with DataFolder(tmp_path) as folder:
        assert folder.node() == chosen

    assert re.fullmatch(r"[a-z0-9.-]+-[0-9a-f]{8}", chosen)


def test_two_nodes_have_two_ids(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "one") as one, DataFolder(tmp_path / "two") as two:
        assert one.node() != two.node()


def test_a_node_whose_file_was_deleted_is_another(tmp_path: Path) -> None:
    with DataFolder(tmp_path) as folder:
        first = folder.node()
        (tmp_path / "node").unlink()

        assert folder.node() != first


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff\xfe", b"x" * 100])
def test_what_is_no_id_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "node").write_bytes(content)

    with DataFolder(tmp_path) as folder:
        assert folder.node().encode() not in {content, b""}
        assert folder.node() == folder.node()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_the_id_is_this_users_alone(tmp_path: Path) -> None:
    with DataFolder(tmp_path) as folder:
        folder.node()

    assert stat.S_IMODE((tmp_path / "node").stat().st_mode) == 0o600
