"""The migrations lead to the tables the code works with, and back."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.config import DatabaseSettings
from gateway.errors import ConfigError
from gateway.store.database import Database
from gateway.store.messages import SqlMessageStore
from gateway.store.migration import alembic_config
from gateway.store.schema import Revision, revisions
from gateway.store.tables import metadata
from tests.contract.samples import sent
from tests.peers.postgresql import PostgreSql


async def run(database: Database, function: Callable[[Connection], Any]) -> Any:
    async def work(connection: AsyncConnection) -> Any:
        return await connection.run_sync(function)

    return await database.write(work)


def differences(connection: Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def scripts(connection: Connection) -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config(connection))


def names(connection: Connection) -> set[str]:
    """Of tables, indexes and constraints."""
    inspector = inspect(connection)
    found = set(inspector.get_table_names()) - {"alembic_version"}
    for table in sorted(found):
        found |= {str(index["name"]) for index in inspector.get_indexes(table)}
        found |= {str(key["name"]) for key in inspector.get_unique_constraints(table)}
        found |= {str(key["name"]) for key in inspector.get_foreign_keys(table)}
        found.add(str(inspector.get_pk_constraint(table)["name"]))
    return found


def columns(connection: Connection) -> dict[str, Any]:
    """Of each table: what a column takes, and has where nothing is given."""
    inspector = inspect(connection)
    return {
        f"{table}.{column['name']}": (
            str(column["type"]),
            column["nullable"],
            column.get("autoincrement"),
            column["default"],
        )
        for table in inspector.get_table_names()
        for column in inspector.get_columns(table)
    }


def migrate(connection: Connection) -> None:
    command.upgrade(alembic_config(connection), "head")


def add_a_call_with_an_event(connection: Connection) -> None:
    connection.execute(
        text(
            "INSERT INTO call (number, id, direction, peer, name, started_at, sources)"
            " VALUES (7, 'call_1', 'incoming', '555', '', '2026-06-01 12:00:00+00:00', '')"
        )
    )
    connection.execute(
        text(
            'INSERT INTO call_event (number, id, kind, "user", at, call)'
            " VALUES (9, 'evt_1', 'ring', '555', '2026-06-01 12:00:00+00:00', 7)"
        )
    )


def events_of_calls(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute(
        text(
            "SELECT call.id, call_event.id FROM call"
            " JOIN call_event ON call_event.call = call.number"
        )
    )
    return [(call, event) for call, event in rows]


async def test_the_head_is_what_the_code_works_with(database: Database) -> None:
    await run(database, migrate)
    migrated = await run(database, names)
    missing = await run(database, differences)
    await run(database, metadata.drop_all)
    await run(database, metadata.create_all)

    assert missing == []
    assert migrated == await run(database, names)


async def test_gateways_that_start_together_make_the_tables_once(database: Database) -> None:
    revisions = await asyncio.gather(*(database.upgrade() for _ in range(3)))

    assert all(revision.is_current for revision in revisions)


async def test_an_empty_database_gets_what_the_migrations_make(database: Database) -> None:
    await run(database, migrate)
    migrated = await run(database, names), await run(database, columns)
    await run(database, lambda c: command.downgrade(alembic_config(c), "base"))

    await database.upgrade()

    assert migrated == (await run(database, names), await run(database, columns))


async def test_a_revision_is_named_by_its_file(database: Database) -> None:
    walked = await run(
        database, lambda c: [script.revision for script in scripts(c).walk_revisions()]
    )

    assert revisions() == walked[::-1]


async def test_each_revision_goes_up_down_up(database: Database) -> None:
    async def go(to: Callable[..., None], revision: str) -> None:
        await run(database, lambda connection: to(alembic_config(connection), revision))

    revisions = await run(
        database, lambda c: [script.revision for script in scripts(c).walk_revisions()]
    )
    for revision in reversed(revisions):
        await go(command.upgrade, revision)
        await go(command.downgrade, "-1")
        await go(command.upgrade, revision)

    assert (await database.revision()).is_current


async def test_going_all_the_way_down_leaves_nothing(database: Database) -> None:
    await database.upgrade()

    await run(database, lambda c: command.downgrade(alembic_config(c), "base"))

    assert await run(database, names) == set()


async def test_there_is_one_head(database: Database) -> None:
    assert len(await run(database, lambda c: scripts(c).get_heads())) == 1


async def test_an_empty_database_says_so(database: Database) -> None:
    revision = await database.revision()

    assert revision == Revision(None, revision.head)
    assert not revision.is_current


async def test_a_database_of_an_earlier_version_is_upgraded(database: Database) -> None:
    await run(database, lambda c: command.upgrade(alembic_config(c), revisions()[0]))

    assert (await database.upgrade()).is_current


async def test_upgrading_twice_changes_nothing(database: Database) -> None:
    assert await database.upgrade() == await database.upgrade()


@pytest.mark.peer("postgresql")
@pytest.mark.timeout(60)
async def test_gateways_that_start_at_once_upgrade_once(
    postgresql: PostgreSql, tmp_path: Path
) -> None:
    settings = DatabaseSettings(url=postgresql.create_database(), auto_upgrade=True)
    async with (
        Database(settings=settings, data_dir=tmp_path, node="pc-1") as one,
        Database(settings=settings, data_dir=tmp_path, node="pc-2") as two,
    ):
        await asyncio.gather(one.prepare(), two.prepare())

        assert (await two.revision()).is_current


async def test_calls_keep_their_events_when_they_get_a_node(database: Database) -> None:
    async def go(to: Callable[..., None], revision: str) -> None:
        await run(database, lambda connection: to(alembic_config(connection), revision))

    await go(command.upgrade, "0003")
    await run(database, add_a_call_with_an_event)

    await go(command.upgrade, "0004")
    up = await run(database, events_of_calls)
    await go(command.downgrade, "0003")

    assert up == [("call_1", "evt_1")]
    assert await run(database, events_of_calls) == up


async def test_what_waits_gets_the_account_it_leaves_by(database: Database) -> None:
    await database.upgrade()
    await SqlMessageStore(database=database).add_outbound(sent("hello", account="sales"))

    async def go(to: Callable[..., None], revision: str) -> None:
        await run(database, lambda connection: to(alembic_config(connection), revision))

    await go(command.downgrade, "0003")
    await go(command.upgrade, "0004")

    accounts = await run(database, lambda c: list(c.scalars(text("SELECT account FROM peer"))))
    assert accounts == ["sales"]


async def test_a_newer_revision_is_refused(database: Database) -> None:
    await database.upgrade()
    await run(
        database, lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    )

    for attempt in (database.prepare, database.upgrade, database.revision):
        with pytest.raises(ConfigError, match=r"9999.*newer"):
            await attempt()


async def test_without_automatic_upgrade_the_start_says_what_to_type(tmp_path: Path) -> None:
    settings = DatabaseSettings(auto_upgrade=False)
    async with Database(settings=settings, data_dir=tmp_path) as database:
        with pytest.raises(ConfigError, match="sip-gateway db upgrade"):
            await database.prepare()
        await database.upgrade()
        await database.prepare()


async def test_sqlite_is_upgraded_at_the_start(tmp_path: Path) -> None:
    async with Database(settings=DatabaseSettings(), data_dir=tmp_path) as database:
        await database.prepare()

        assert (await database.revision()).is_current
