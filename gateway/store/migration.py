"""Alembic, which takes a database of an earlier version to the newest revision."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from gateway.store.schema import migrations


def alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations()).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Run what is between the database's revision and the head."""
    command.upgrade(alembic_config(connection), "head")
