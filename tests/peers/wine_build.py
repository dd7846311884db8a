"""Builds a Windows CPython with the project's dependencies, to be run under Wine."""

import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent / "pyproject.toml"

INTERPRETER = "panda3d==1.10.16"
"""Its Windows wheel carries python311.dll and the extension modules in deploy_libs."""
DDE_SERVER = "pywin32==306"
"""The last release whose wheel brings the MFC library that its ``dde`` module needs."""
WINDOWS_ONLY = ("colorama",)
"""Asked for by a marker that pip evaluates for the machine it runs on."""
SUITE = ("pytest", "pytest-asyncio", "pytest-timeout", "pytest-randomly", "hypothesis")

ABSENT_FROM_LIB = (
    "site-packages",
    "dist-packages",
    "lib-dynload",
    "config-3*",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "sitecustomize.py",
    "test",
    "tests",
    "tkinter",
)


class BuildFailed(Exception):
    """The Windows Python cannot be built; the text says what is missing."""


def build(folder: Path) -> Path:
    """The folder of a Windows Python in *folder*; built there unless it is there already.

    It is named by what it is made of, so that new dependencies make a new one.
    """
    wanted = requirements()
    home = folder / f"python-{_fingerprint(wanted)}"
    if home.exists():
        return home
    unfinished = folder / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    wheels = unfinished / "wheels"
    _say("downloads the Windows wheels (about 85 MB)")
    _download(wheels, [INTERPRETER, DDE_SERVER], "--no-deps")
    _download(wheels, wanted)
    _say("unpacks the interpreter, its library and the wheels")
    _unpack(wheels, unfinished / "python")
    _say("compiles python.exe")
    _compile(unfinished / "python")
    for older in folder.glob("python-*"):
        shutil.rmtree(older)
    (unfinished / "python").rename(home)
    shutil.rmtree(unfinished)
    return home


def requirements() -> list[str]:
    """What the project and its suite need on Windows, without environment markers."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))
    dependencies: list[str] = project["project"]["dependencies"]
    development: list[str] = project["dependency-groups"]["dev"]
    suite = [one for one in development if one.partition(">")[0] in SUITE]
    bare = [one.partition(";")[0].strip() for one in (*dependencies, *suite)]
    return [*bare, *WINDOWS_ONLY]


def _fingerprint(wanted: Iterable[str]) -> str:
    sources = [path.read_text("utf-8") for path in sorted(HERE.glob("wine_*.c"))]
    made_of = "\n".join([sys.version, INTERPRETER, DDE_SERVER, *wanted, *sources])
    return sha256(made_of.encode()).hexdigest()[:12]


def _download(wheels: Path, wanted: list[str], *options: str) -> None:
    _run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(wheels)),
            *("--only-binary", ":all:", "--platform", "win_amd64"),
            *("--python-version", "3.11", "--implementation", "cp"),
            *options,
            *wanted,
        ],
        "pip cannot download the Windows wheels; is a package index within reach?",
    )


def _unpack(wheels: Path, python: Path) -> None:
    shutil.copytree(
        _standard_library(),
        python / "Lib",
        ignore=shutil.ignore_patterns("__pycache__", *ABSENT_FROM_LIB),
    )
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            if wheel.name.startswith("panda3d"):
                _unpack_interpreter(archive, python)
            elif wheel.name.startswith("pywin32"):
                archive.extractall(python / "pywin32")  # its .pth slows every start
            else:
                archive.extractall(python / "Lib" / "site-packages")


def _standard_library() -> str:
    """That of a Python 3.11: its pure Python modules are the same on every system."""
    if sysconfig.get_python_version() == "3.11":
        return sysconfig.get_path("stdlib")
    ask = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    return _run(["python3.11", "-c", ask], "python3.11 is needed for its library").strip()


def _unpack_interpreter(archive: zipfile.ZipFile, python: Path) -> None:
    modules = python / "DLLs"
    modules.mkdir()
    for name in archive.namelist():
        folder, _, file = name.partition("/")
        if folder != "deploy_libs" or file.startswith("api-ms-"):  # Wine has these
            continue
        beside = file.lower().startswith(("python", "vcruntime"))
        (python if beside else modules).joinpath(file).write_bytes(archive.read(name))


def _compile(python: Path) -> None:
    compiler = ["x86_64-w64-mingw32-gcc", "-O1", "-s", "-Wall", "-Werror"]
    for source, target, options in (
        ("wine_python.c", "python.exe", ["-municode"]),
        ("wine_bcryptprimitives.c", "bcryptprimitives.dll", ["-shared"]),
    ):
        _run(
            [*compiler, str(HERE / source), "-o", str(python / target), *options, "-ladvapi32"],
            f"{source} does not compile",
        )


def _run(command: list[str], failure: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as exc:
        raise BuildFailed(f"{failure}\n{exc}") from exc
    if done.returncode:
        raise BuildFailed(f"{failure}\n{done.stderr[-2000:]}")
    return done.stdout


def _say(what: str) -> None:
    print(f"Windows Python: {what}", file=sys.stderr, flush=True)  # noqa: T201  progress
