"""The log of what MicroSIP was told is begun anew when it is full."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.microsip import api_log
from gateway.microsip.api_log import FILE_NAME, ApiLog
from gateway.phone import CommandOutcome

AT = datetime(2026, 11, 22, 20, 15, 3, tzinfo=UTC)
UNTIL_FULL = api_log.LARGEST // len(f"{AT:%Y-%m-%d %H:%M:%SZ} message 1000 unconfirmed\n") + 1


def write(folder: Path, *numbers: int) -> None:
    log = ApiLog(folder)
    for number in numbers:
        log.write_message(AT, str(number), CommandOutcome.UNCONFIRMED)


def sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir()}


def test_a_full_file_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"x" * api_log.LARGEST)

    write(tmp_path, 1000, 1001)

    assert (tmp_path / f"{FILE_NAME}.1").read_bytes() == b"x" * api_log.LARGEST
    assert (tmp_path / FILE_NAME).read_text().count("\n") == 2


def test_the_oldest_file_goes(tmp_path: Path) -> None:
    names = [FILE_NAME, *(f"{FILE_NAME}.{n}" for n in range(1, api_log.KEPT + 1))]
    for age, name in enumerate(names):
        (tmp_path / name).write_bytes(b"%d" % age * api_log.LARGEST)

    write(tmp_path, 1000)

    kept = {name: (tmp_path / name).read_bytes()[:1] for name in names[1:]}
    assert kept == {name: b"%d" % age for age, name in enumerate(names[1:])}
    assert set(sizes(tmp_path)) == set(names)


def test_no_file_grows_beyond_its_size(tmp_path: Path) -> None:
    write(tmp_path, *range(1000, 1000 + UNTIL_FULL))

    assert len(sizes(tmp_path)) == 2
    assert max(sizes(tmp_path).values()) < api_log.LARGEST + 100


def test_a_line_is_written_where_the_old_file_cannot_be_moved(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"x" * api_log.LARGEST)
    (tmp_path / f"{FILE_NAME}.{api_log.KEPT}" / "in the way").mkdir(parents=True)
    (tmp_path / f"{FILE_NAME}.{api_log.KEPT - 1}").touch()

    write(tmp_path, 1000)

    assert (tmp_path / FILE_NAME).read_text().endswith("message 1000 unconfirmed\n")
    assert f"cannot begin {tmp_path / FILE_NAME} anew" in caplog.text
