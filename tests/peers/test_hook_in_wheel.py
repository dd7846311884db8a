"""The wheel's build compiles the hook program where it can, and says where it cannot."""

import os
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from hatch_build import COMPILER, PROGRAM

pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).parents[2]
SOURCES = ("pyproject.toml", "hatch_build.py", ".gitignore", "README.md", "LICENSE")
GUI_SUBSYSTEM = 2


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy: the build leaves the program among the sources."""
    folder = tmp_path / "checkout"
    without = shutil.ignore_patterns("__pycache__", "*.exe")
    for name in ("gateway", "migrations"):
        shutil.copytree(ROOT / name, folder / name, ignore=without)
    for name in SOURCES:
        shutil.copy(ROOT / name, folder)
    return folder


def build(checkout: Path, target: str, path: str | None = None) -> tuple[Path, str]:
    """What was built, and what was said; *path* is where compilers are looked for."""
    built = checkout.parent / "built"
    environment = {**os.environ, "PATH": path or os.environ["PATH"]}  # noqa: TID251
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(built)],
        cwd=checkout,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    [archive] = built.iterdir()
    return archive, done.stdout + done.stderr


def program_in(wheel: Path) -> bytes | None:
    with zipfile.ZipFile(wheel) as archive:
        if PROGRAM.as_posix() not in archive.namelist():
            return None
        return archive.read(PROGRAM.as_posix())


def subsystem(program: bytes) -> int:
    """Of a PE file: whether Windows opens a console for it."""
    [header] = struct.unpack_from("<I", program, 0x3C)
    assert program[header : header + 4] == b"PE\0\0"
    [number] = struct.unpack_from("<H", program, header + 24 + 68)
    return int(number)


@pytest.mark.peer("wine")
def test_the_wheel_has_the_program_which_opens_no_console(checkout: Path) -> None:
    wheel, said = build(checkout, "wheel")

    program = program_in(wheel)
    assert program is not None
    assert subsystem(program) == GUI_SUBSYSTEM
    assert b"msvcrt" not in program
    assert PROGRAM.name not in said


@pytest.mark.peer("wine")
def test_the_same_sources_make_the_same_program(checkout: Path, tmp_path: Path) -> None:
    first, _ = build(checkout, "wheel")
    first = first.rename(tmp_path / first.name)

    second, _ = build(checkout, "wheel")

    assert program_in(first) == program_in(second) is not None


def test_without_a_compiler_it_is_left_out_and_said(checkout: Path, tmp_path: Path) -> None:
    (checkout / PROGRAM).write_bytes(b"of other sources")

    wheel, said = build(checkout, "wheel", path=str(tmp_path))

    assert program_in(wheel) is None
    assert f"{PROGRAM.name} is left out: there is no {COMPILER}" in said
    assert "sip-gateway notify-call" in said


def test_the_source_distribution_has_what_compiles_it_alone(checkout: Path) -> None:
    (checkout / PROGRAM).write_bytes(b"of this checkout")

    archive, _ = build(checkout, "sdist")

    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert {"hatch_build.py", f"{PROGRAM.parent.as_posix()}/hook.c"} <= names
    assert PROGRAM.as_posix() not in names
