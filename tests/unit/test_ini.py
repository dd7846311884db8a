"""microsip.ini on the disk."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.microsip.ini import read_account, read_ini, read_version, write_ini
from gateway.microsip.ini_file import IniFile

AT = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
OLD, NEW = b"[Settings]\r\nk=old\r\n", b"[Settings]\r\nk=new\r\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "microsip.ini"
    path.write_bytes(OLD)
    return path


def test_what_was_there_is_kept_beside_it(path: Path) -> None:
    backup = write_ini(path, IniFile.parse(NEW), AT)

    assert path.read_bytes() == NEW
    assert backup.name == "microsip.ini.before-sip-gateway-20261123-013000"
    assert backup.read_bytes() == OLD
    assert sorted(path.parent.iterdir()) == [path, backup]


def test_an_older_copy_is_never_written_over(path: Path) -> None:
    contents = [IniFile.parse(b"[Settings]\nk=%d\n" % number) for number in range(3)]

    backups = [write_ini(path, content, AT) for content in contents]

    assert [backup.read_bytes() for backup in backups] == [
        OLD,
        contents[0].data,
        contents[1].data,
    ]


def test_what_cannot_be_written_leaves_it_as_it_was(path: Path) -> None:
    (path.parent / "microsip.ini.sip-gateway").mkdir()

    with pytest.raises(ConfigError, match="cannot be written"):
        write_ini(path, IniFile.parse(NEW), AT)

    assert path.read_bytes() == OLD


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"microsip\.ini: cannot be read: No such file"):
        read_ini(tmp_path / "microsip.ini")


def test_the_account_in_use_and_the_version_are_read(path: Path) -> None:
    path.write_text(
        "odd line\n[Settings]\naccountId=2\nversion=3.22.3\n[Account1]\nserver=other\n"
        "[Account2]\nserver=10.0.0.5\ndomain=office.example\nusername=101\n",
        encoding="utf-16",
    )

    account = read_account(path)

    assert (account.server, account.domain) == ("10.0.0.5", "office.example")
    assert (account.username, account.proxy) == ("101", "")
    assert read_version(path) == "3.22.3"
