"""``python -m gateway.sbom``: what is installed for the gateway, as a CycloneDX document."""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import Distribution, distributions
from typing import Any

GATEWAY = "sip-message-gateway"

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?")
_EXTRA = re.compile(r"""extra\s*==\s*["']([^"']+)["']""")
_LICENCE = "License :: OSI Approved :: "
_COPIED = ("type", "name", "version", "purl", "licenses")

Component = dict[str, Any]


def installed(path: Sequence[str]) -> dict[str, Distribution]:
    """The packages found in *path*, by their names on the index; the first of a name counts."""
    found = reversed(list(distributions(path=list(path))))
    return {_normalized(one.name): one for one in found}


def bill_of_materials(
    packages: Mapping[str, Distribution], root: str, *extras: str
) -> dict[str, Any]:
    """*root* with whatever it needs, in CycloneDX 1.6; KeyError when it is not there."""
    names = _needed(packages, root, frozenset(extras)) - {root}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**_component(packages[root]), "type": "application"}},
        "components": [_component(packages[name]) for name in sorted(names)],
    }


def _needed(
    packages: Mapping[str, Distribution], root: str, extras: frozenset[str]
) -> set[str]:
    """Markers other than an extra are not read: what they rule out is not installed."""
    found: set[tuple[str, frozenset[str]]] = set()
    waiting = [(root, extras)]
    while waiting:
        one = name, asked = waiting.pop()
        if name in packages and one not in found:
            found.add(one)
            waiting += _requirements(packages[name], asked)
    return {name for name, _ in found}


def _requirements(
    package: Distribution, extras: frozenset[str]
) -> Iterator[tuple[str, frozenset[str]]]:
    for text in package.requires or ():
        requirement, _, marker = text.partition(";")
        extra, match = _EXTRA.search(marker), _REQUIREMENT.match(requirement)
        if match is not None and (extra is None or extra[1] in extras):
            asked = (part.strip() for part in (match[2] or "").split(","))
            yield _normalized(match[1]), frozenset(part for part in asked if part)


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()  # PEP 503


def _component(package: Distribution) -> Component:
    name = _normalized(package.name)
    component: Component = {
        "type": "library",
        "name": name,
        "version": package.version,
        "purl": f"pkg:pypi/{name}@{package.version}",
    }
    if licences := _licences(package):
        component["licenses"] = licences
    if inside := list(_inside(package, name)):
        component["components"] = inside
    return component


def _licences(package: Distribution) -> list[dict[str, Any]]:
    metadata = package.metadata.json
    if expression := metadata.get("license_expression"):
        return [{"expression": expression}]
    classified = metadata.get("classifier", ())
    names = [text.removeprefix(_LICENCE) for text in classified if text.startswith(_LICENCE)]
    names = names or str(metadata.get("license", "")).splitlines()[:1]
    return [{"license": {"name": name}} for name in names]


def _inside(package: Distribution, name: str) -> Iterator[Component]:
    """What a wheel says of the libraries that are compiled into it (PEP 770)."""
    seen = set()
    for file in package.files or ():
        if "sboms" in file.parts and file.suffix == ".json":
            for listed in json.loads(file.read_text()).get("components", ()):
                component = {key: listed[key] for key in _COPIED if key in listed}
                known = (_normalized(component["name"]), component.get("version"))
                if known not in seen and known[0] != name:
                    seen.add(known)
                    yield component


def main() -> None:
    packages = installed(sys.path)
    if GATEWAY not in packages:
        sys.exit(f"{GATEWAY} is not installed here; install it with pip, then ask again")
    json.dump(bill_of_materials(packages, GATEWAY, "postgres"), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
