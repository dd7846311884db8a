"""An installed gateway has its migrations with it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
UPGRADE = """
import asyncio, sys
from pathlib import Path
import gateway
from gateway.config import DatabaseSettings
from gateway.store.database import Database

async def upgrade():
    data_dir = Path(sys.argv[1])
    async with Database(settings=DatabaseSettings(), data_dir=data_dir) as database:
        await database.prepare()
        print(gateway.__file__, (await database.revision()).is_current)

asyncio.run(upgrade())
"""


@pytest.mark.timeout(120)
def test_an_installed_wheel_upgrades_a_database(tmp_path: Path) -> None:
    wheels, installed = tmp_path / "wheels", tmp_path / "installed"
    run("-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels), cwd=ROOT)
    [wheel] = wheels.glob("*.whl")
    target = ("--target", str(installed), "--no-deps", "--no-index", "--no-compile")
    run("-m", "pip", "install", "--quiet", *target, str(wheel), cwd=tmp_path)

    output = run("-c", UPGRADE, str(tmp_path), cwd=installed)

    assert output.split() == [str(installed / "gateway" / "__init__.py"), "True"]
    assert (tmp_path / "gateway.db").is_file()


def run(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, check=True, capture_output=True, text=True
    )
    return done.stdout
