"""Builds ``docker/Dockerfile`` without a Docker engine: buildah on a Debian of our own."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(platformdirs.user_cache_dir("sip-gateway-tests", appauthor=False)) / "buildah"
BASE = "localhost/bookworm-with-python"
"""Stands for the official Python image, which has the same Debian and Python below."""
DATA = "/data"
_IN_BASE = "python3,python3-venv,ca-certificates"


class ImageBuilder:
    """Images in a store of the tests' own; the base image is made once and kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def build(self, dockerfile: str, context: str, image: str) -> None:
        """As ``docker build`` does, but for the base image, offline."""
        self._make_base()
        self._buildah(
            *("build", "--quiet", "--pull-never", "--network", "host", "--format", "docker"),
            *("--build-arg", f"BASE={BASE}", "--file", str(ROOT / dockerfile)),
            *("--tag", image, *self._certificates(), str(ROOT / context)),
        )

    def remove(self, image: str) -> None:
        self._buildah("rmi", "--force", image)

    def configuration(self, image: str) -> dict[str, Any]:
        """What the image says of itself: user, entry point, health check ..."""
        inspected = json.loads(self._buildah("inspect", "--type", "image", image))
        configuration: dict[str, Any] = inspected["Docker"]["config"]
        return configuration

    @contextmanager
    def container(self, image: str) -> Iterator[str]:
        name = self._buildah("from", "--pull-never", image).strip()
        # A chroot has the image's own volume over the one that is mounted there.
        self._buildah("config", "--volume", f"{DATA}-", name)
        try:
            yield name
        finally:
            self._buildah("rm", name)

    def run_command(
        self,
        container: str,
        *command: str,
        data: Path,
        environment: Mapping[str, str] | None = None,
    ) -> list[str]:
        """The command line that runs *command* in it, as its user, on *data* as its volume."""
        variables = (f"--env={name}={text}" for name, text in (environment or {}).items())
        return [
            *self._program("run", "--network", "host", "--volume", f"{data}:{DATA}"),
            *(*variables, container, "--", *command),
        ]

    def run(
        self,
        container: str,
        *command: str,
        data: Path,
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """What *command* prints; RuntimeError when it fails."""
        return _checked(
            self.run_command(container, *command, data=data, environment=environment)
        )

    def _make_base(self) -> None:
        if BASE in self._buildah("images", "--format", "{{.Name}}").split():
            return
        root = self._folder / "debian"
        _checked(
            ["debootstrap", "--variant=minbase", f"--include={_IN_BASE}", "bookworm", str(root)]
        )
        container = self._buildah("from", "scratch").strip()
        self._buildah("add", "--quiet", container, str(root), "/")
        self._buildah("commit", "--quiet", "--rm", container, BASE)
        shutil.rmtree(root)

    def _certificates(self) -> tuple[str, ...]:
        """This machine's, where its way to the package index has a certificate of its own."""
        folder = Path("/etc/ssl/certs")
        return ("--volume", f"{folder}:{folder}:ro") if folder.is_dir() else ()

    def _buildah(self, *arguments: str) -> str:
        return _checked(self._program(*arguments))

    def _program(self, *arguments: str) -> list[str]:
        CACHE.mkdir(parents=True, exist_ok=True)
        return [
            *("buildah", "--storage-driver", "vfs", "--root", str(CACHE)),
            *("--runroot", str(self._folder / "run"), *arguments),
        ]


def process_environment() -> dict[str, str]:
    """Every child's: no engine, no namespaces, a plain chroot."""
    return {**os.environ, "BUILDAH_ISOLATION": "chroot"}  # noqa: TID251


def _checked(command: list[str]) -> str:
    done = subprocess.run(
        command, env=process_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
    return done.stdout
