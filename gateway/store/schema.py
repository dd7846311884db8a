"""The revision of the database's schema: what it is, how it rises."""

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from gateway.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent.parent
_FOLDERS = (_PACKAGE / "migrations", _PACKAGE.parent / "migrations")  # wheel, source tree


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


def alembic_config(connection: Connection) -> Config:
    folder = next(folder for folder in _FOLDERS if (folder / "env.py").is_file())
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def revision(connection: Connection) -> Revision:
    """Raises ConfigError when the database was upgraded by a newer version."""
    scripts = ScriptDirectory.from_config(alembic_config(connection))
    head = scripts.get_current_head()
    assert head is not None, "migrations/ has no revision"
    current = MigrationContext.configure(connection).get_current_revision()
    if current not in {None, *(script.revision for script in scripts.walk_revisions())}:
        raise ConfigError(
            f"the database has revision {current}, which is newer than this version of the "
            f"gateway (revision {head}); install the newer sip-message-gateway again, or "
            "set data_dir or [database] url to another database"
        )
    return Revision(current, head)


def upgrade(connection: Connection) -> Revision:
    """Bring the schema to the head; raises ConfigError as ``revision`` does."""
    if not revision(connection).is_current:
        command.upgrade(alembic_config(connection), "head")
    return revision(connection)
