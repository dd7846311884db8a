"""The bill of materials, of packages laid out for the test or really installed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from gateway.sbom import bill_of_materials, installed


def package(
    folder: Path, name: str, *metadata: str, files: dict[str, str] | None = None
) -> None:
    """Lay *name* 1.0 out as pip does."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    head = (f"Name: {name}", "Version: 1.0", *metadata)
    (info / "METADATA").write_text("\n".join(("Metadata-Version: 2.4", *head, "")))
    for file, content in (files or {}).items():
        (info / file).parent.mkdir(exist_ok=True)
        (info / file).write_text(content)
    listed = "".join(f"{info.name}/{file},,\n" for file in files or ())
    (info / "RECORD").write_text(listed)


def components(folder: Path, *extras: str) -> dict[str, dict[str, Any]]:
    bill = bill_of_materials(installed([str(folder)]), "own", *extras)
    return {component["name"]: component for component in bill["components"]}


def test_what_is_needed_is_listed_and_nothing_else(tmp_path: Path) -> None:
    package(
        tmp_path, "own", "Requires-Dist: Needed.One>=1", "Requires-Dist: absent; os_name=='x'"
    )
    package(tmp_path, "needed_one", "Requires-Dist: deeper (<2)", "Requires-Dist: own")
    package(tmp_path, "deeper")
    package(tmp_path, "unrelated")

    found = components(tmp_path)

    assert found.keys() == {"needed-one", "deeper"}
    assert found["needed-one"]["purl"] == "pkg:pypi/needed-one@1.0"


def test_an_extra_brings_what_it_is_for(tmp_path: Path) -> None:
    package(
        tmp_path,
        "own",
        "Requires-Dist: sql[fast]",
        "Requires-Dist: driver; extra == 'postgres'",
    )
    package(
        tmp_path,
        "sql",
        'Requires-Dist: speed; extra == "fast"',
        "Requires-Dist: slow; extra == 'x'",
    )
    for name in ("driver", "speed", "slow"):
        package(tmp_path, name)

    assert components(tmp_path).keys() == {"sql", "speed"}
    assert components(tmp_path, "postgres").keys() == {"sql", "speed", "driver"}


def test_the_licence_is_taken_from_wherever_it_stands(tmp_path: Path) -> None:
    needs = [f"Requires-Dist: {name}" for name in ("spdx", "classified", "worded", "silent")]
    package(tmp_path, "own", *needs)
    package(tmp_path, "spdx", "License-Expression: MIT OR Apache-2.0")
    package(tmp_path, "classified", "Classifier: License :: OSI Approved :: BSD License")
    package(tmp_path, "worded", "License: ISC")
    package(tmp_path, "silent")

    licences = {name: found.get("licenses") for name, found in components(tmp_path).items()}

    assert licences == {
        "spdx": [{"expression": "MIT OR Apache-2.0"}],
        "classified": [{"license": {"name": "BSD License"}}],
        "worded": [{"license": {"name": "ISC"}}],
        "silent": None,
    }


def test_the_libraries_inside_a_wheel_are_listed_under_it(tmp_path: Path) -> None:
    library = {"type": "library", "name": "openssl-libs", "version": "1.0.2k", "bom-ref": "x"}
    itself = {"type": "library", "name": "native_wheel", "version": "1.0"}
    content = json.dumps({"components": [itself, library, library]})
    package(tmp_path, "own", "Requires-Dist: native-wheel")
    package(tmp_path, "native_wheel", files={"sboms/auditwheel.cdx.json": content})

    (inside,) = components(tmp_path)["native-wheel"]["components"]

    assert inside == {"type": "library", "name": "openssl-libs", "version": "1.0.2k"}


def test_each_of_the_installed_packages_can_be_described() -> None:
    packages = installed(sys.path)

    bill = bill_of_materials(packages, "aiohttp")

    assert {"multidict", "yarl"} <= {one["name"] for one in bill["components"]}
    assert all(one["licenses"] for one in bill["components"])


def test_the_gateways_own_is_printed(tmp_path: Path) -> None:
    package(tmp_path, "sip_message_gateway", "Requires-Dist: aiohttp")
    root = Path(__file__).parents[2]

    printed = subprocess.run(
        [sys.executable, "-m", "gateway.sbom"],
        cwd=root,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    bill = json.loads(printed)
    assert bill["metadata"]["component"]["name"] == "sip-message-gateway"
    assert "aiohttp" in [component["name"] for component in bill["components"]]
