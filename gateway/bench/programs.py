"""The programs of others that the benchmark uses."""

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class Program:
    """A file, by name or by path, with the Debian package it is in."""

    name: str
    package: str

    @property
    def is_installed(self) -> bool:
        # Modules are not executable.
        return shutil.which(self.name, os.F_OK, _PATH) is not None


MODULES = Path("/usr/lib/x86_64-linux-gnu/kamailio/modules")
SCHEMAS = Path("/usr/share/kamailio")

SIPP = Program("sipp", "sip-tester")
KAMAILIO = Program("kamailio", "kamailio")
KAMAILIO_SQLITE = Program(str(MODULES / "db_sqlite.so"), "kamailio-sqlite-modules")
KAMAILIO_POSTGRESQL = Program(str(MODULES / "db_postgres.so"), "kamailio-postgres-modules")
PSQL = Program("psql", "postgresql-client")


def absent(programs: Iterable[Program]) -> str:
    """What to do about those that are not installed; empty when all are."""
    packages = [one.package for one in programs if not one.is_installed]
    return f"needs: apt-get install {' '.join(packages)}" if packages else ""
