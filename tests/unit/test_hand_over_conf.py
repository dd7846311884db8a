import stat
from pathlib import Path

import pytest

from gateway.microsip.hand_over_conf import (
    FILE_NAME,
    HandOverConf,
    hook_folder,
    read_conf,
    write_conf,
)

KEY = bytes(range(32))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    folder = hook_folder(tmp_path)

    written = write_conf(folder, 40123)

    assert written == read_conf(folder)
    assert (written.port, len(written.key)) == (40123, 32)


def test_the_key_is_kept_at_the_next_start(tmp_path: Path) -> None:
    first = write_conf(tmp_path, 40123)

    second = write_conf(tmp_path, 40124)

    assert (second.port, second.key) == (40124, first.key)
    assert read_conf(tmp_path) == second


def test_each_folder_has_a_key_of_its_own(tmp_path: Path) -> None:
    keys = {write_conf(tmp_path / name, 1).key for name in ("a", "b")}

    assert len(keys) == 2


def test_only_this_user_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "hook"

    write_conf(folder, 40123)

    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / FILE_NAME)]
    assert modes == [0o700, 0o600]
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_the_format_is_the_one_that_the_hook_program_knows(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"port=40123\nkey=" + KEY.hex().encode() + b"\n")

    assert read_conf(tmp_path) == HandOverConf(40123, KEY)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="absent"),
        pytest.param(b"", id="empty"),
        pytest.param(b"port=40123\n", id="no key"),
        pytest.param(b"port=0\nkey=" + b"0" * 64 + b"\n", id="port 0"),
        pytest.param(b"port=65536\nkey=" + b"0" * 64 + b"\n", id="port too high"),
        pytest.param(b"port=40123\nkey=" + b"0" * 63 + b"\n", id="short key"),
        pytest.param(b"port=40123\nkey=" + b"g" * 64 + b"\n", id="no hex"),
        pytest.param(b"\xff\xfe", id="not ASCII"),
    ],
)
def test_what_cannot_be_read_is_made_anew(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / FILE_NAME).write_bytes(content)

    found = read_conf(tmp_path)
    written = write_conf(tmp_path, 40125)

    assert found is None
    assert read_conf(tmp_path) == written


def test_the_key_is_not_shown() -> None:
    assert KEY.hex() not in repr(HandOverConf(40123, KEY))
    assert str(KEY) not in repr(HandOverConf(40123, KEY))
