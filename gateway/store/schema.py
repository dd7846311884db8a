"""The revision of the database's schema: what it is, how it rises."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

from gateway.errors import ConfigError
from gateway.store.tables import metadata

_PACKAGE = Path(__file__).resolve().parent.parent
_FOLDERS = (_PACKAGE / "migrations", _PACKAGE.parent / "migrations")  # wheel, source tree

# Alembic's own, read without it: it takes 11 MB, which a gateway would hold for ever.
_version = Table(
    "alembic_version",
    MetaData(naming_convention={"pk": "%(table_name)s_pkc"}),
    Column("version_num", String(32), primary_key=True),
)


@dataclass(frozen=True, slots=True)
class Revision:
    """Where a database stands."""

    current: str | None
    """None: it is empty."""
    head: str
    """What this version of the gateway needs."""

    @property
    def is_current(self) -> bool:
        return self.current == self.head


def migrations() -> Path:
    """The folder of Alembic's environment."""
    return next(folder for folder in _FOLDERS if (folder / "env.py").is_file())


def revisions() -> list[str]:
    """All that this version of the gateway knows, as their files are named; oldest first."""
    files = (migrations() / "versions").glob("[0-9]*_*.py")
    return sorted(file.name.partition("_")[0] for file in files)


def revision(connection: Connection) -> Revision:
    """Raises ConfigError when the database was upgraded by a newer version."""
    known = revisions()
    head = known[-1]
    current = _current(connection)
    if current not in {None, *known}:
        raise ConfigError(
            f"the database has revision {current}, which is newer than this version of the "
            f"gateway (revision {head}); install the newer sip-message-gateway again, or "
            "set data_dir or [database] url to another database"
        )
    return Revision(current, head)


def upgrade(connection: Connection) -> Revision:
    """Bring the schema to the head; raises ConfigError as ``revision`` does."""
    before = revision(connection)
    if before.current is None:
        _create(connection, before.head)
    elif not before.is_current:
        import_module("gateway.store.migration").upgrade(connection)
    return revision(connection)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_version.name):
        return None
    current: str | None = connection.scalar(select(_version.c.version_num))
    return current


def _create(connection: Connection, head: str) -> None:
    """The tables of an empty database, as the migrations one after the other make them."""
    metadata.create_all(connection, checkfirst=False)  # somebody else's table is an error
    _version.create(connection, checkfirst=True)  # a downgrade to nothing left it, empty
    connection.execute(_version.insert().values(version_num=head))
