"""The import contracts hold, and bite; files and functions stay small."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "gateway").rglob("*.py"))
LINT_IMPORTS = "from importlinter.cli import lint_imports_command as main; main()"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT_IMPORTS, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(60)
def test_the_import_contracts_hold() -> None:
    result = lint_imports(ROOT)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        pytest.param("message.py", "from gateway import app", "Layers", id="upwards"),
        pytest.param("unlisted.py", "import re", "Layers", id="undeclared-module"),
        pytest.param("outbox.py", "import pjsua2", "pjsua2 stays in the engine", id="pjsua2"),
        pytest.param(
            "inbound.py", "import sqlalchemy", "SQLAlchemy stays in gateway.store", id="sql"
        ),
        pytest.param(
            "delivery.py", "import aiohttp", "aiohttp stays at the HTTP edges", id="http"
        ),
        pytest.param(
            "phone.py", "import ctypes", "ctypes stays in gateway.microsip", id="ctypes"
        ),
        pytest.param(
            "chat/router.py",
            "from gateway import outbox",
            "Commands know nothing of storage or delivery",
            id="chat",
        ),
    ],
)
def test_a_planted_violation_is_found(
    tmp_path: Path, module: str, line: str, contract: str
) -> None:
    shutil.copytree(ROOT / "gateway", tmp_path / "gateway")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = tmp_path / "gateway" / module
    text = planted.read_text() if planted.exists() else '"""Planted."""\n'
    planted.write_text(f"{text}\n{line}\n")

    result = lint_imports(tmp_path)

    assert result.returncode == 1
    assert f"{contract} BROKEN" in result.stdout


@pytest.mark.parametrize("path", MODULES, ids=[str(p.relative_to(ROOT)) for p in MODULES])
def test_a_module_is_small_and_says_what_it_is_for(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 400
    assert lines[0].startswith('"""')
    assert len(lines[0]) > 10
