"""A real PostgreSQL server on a loopback port of its own."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from gateway.bench.ports import free_port
from tests.peers.setup import is_root

_PROGRAMS = Path("/usr/lib/postgresql/15/bin")
_OWNER = "gateway"
_GUARDED = "guarded"
"""The one user who needs a password."""


class PostgreSql:
    """The server; each test asks for a database of its own."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self._databases = 0
        self._options = ""

    def __enter__(self) -> Self:
        if is_root():
            shutil.chown(self._folder, "postgres")
        data = self._folder / "data"
        self._run("initdb", "-D", str(data), "-A", "trust", "-U", _OWNER, "-N", "-E", "UTF8")
        rules = data / "pg_hba.conf"
        rules.write_text(f"host all {_GUARDED} all scram-sha-256\n{rules.read_text()}")
        options = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off"
            f" -c unix_socket_directories={self._folder}"
        )
        self._options = options
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        log = str(self._folder / "log")
        self._control("-o", self._options, "-l", log, "-w", "start")

    def stop(self) -> None:
        """At once: connections are cut, what was committed is kept."""
        self._control("-m", "immediate", "stop")

    def create_database(self) -> str:
        """The URL of a new, empty database."""
        self._databases += 1
        name = f"gateway_{self._databases}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", _OWNER, name)
        return f"postgresql+asyncpg://{_OWNER}@127.0.0.1:{self.port}/{name}"

    def create_guarded_database(self, password: str) -> str:
        """Like ``create_database``; the URL is without the *password* it takes."""
        url = self.create_database()
        database = url.rpartition("/")[2]
        self._run(
            *("psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", _OWNER, "-d", database),
            *("-c", f"CREATE ROLE {_GUARDED} LOGIN PASSWORD '{password}'"),
            *("-c", f"GRANT ALL ON SCHEMA public TO {_GUARDED}"),
        )
        return url.replace(f"{_OWNER}@", f"{_GUARDED}@")

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        """As the user postgres where this is root: initdb refuses root."""
        as_postgres = ("runuser", "-u", "postgres", "--") if is_root() else ()
        subprocess.run(
            [*as_postgres, str(_PROGRAMS / program), *arguments],
            cwd=self._folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
