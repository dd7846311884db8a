"""A copy is whole and equal, or there is none."""

import asyncio
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing

import pytest
from sqlalchemy import Table, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import ConfigError, ConflictError
from gateway.store.copying import CopyReport, DatabaseCopy, Progress, Step
from gateway.store.database import Database
from gateway.store.messages import SqlMessageStore
from gateway.store.tables import message, metadata, token
from tests.contract.samples import arrival, received
from tests.copying.conftest import MakeUrl
from tests.copying.databases import change_what_arrives, opened, run
from tests.copying.every_table import LAST_GIVEN, Content, content, fill, row

pytestmark = [pytest.mark.timeout(60)]

POSTGRESQL = pytest.mark.peer("postgresql")
DIRECTIONS = [
    pytest.param("sqlite", "postgresql", marks=POSTGRESQL, id="sqlite-postgresql"),
    pytest.param("postgresql", "sqlite", marks=POSTGRESQL, id="postgresql-sqlite"),
    pytest.param("postgresql", "postgresql", marks=POSTGRESQL, id="postgresql-postgresql"),
    pytest.param("sqlite", "sqlite", id="sqlite-sqlite"),
]
TARGETS = [pytest.param("postgresql", marks=POSTGRESQL, id="postgresql"), "sqlite"]


@asynccontextmanager
async def a_full_one(url: str) -> AsyncIterator[Database]:
    async with opened(url, upgraded=True) as database:
        await fill(database)
        yield database


async def copied(
    source: Database, target: Database, progress: Callable[[Progress], None] | None = None
) -> CopyReport:
    return await DatabaseCopy(
        source=source, target=target, progress=progress or (lambda _: None)
    ).run()


async def number_of(database: Database) -> int:
    """The archive id that the next message gets."""

    async def work(connection: AsyncConnection) -> int:
        new = row(message, LAST_GIVEN + 1)
        del new["archive_id"]
        added = await connection.execute(insert(message).values(new))
        [number] = added.inserted_primary_key or [0]
        return int(number)

    return await database.write(work)


def nothing() -> Content:
    return {table.name: [] for table in metadata.sorted_tables}


@pytest.mark.parametrize(("kind", "other"), DIRECTIONS)
async def test_every_table_arrives_as_it_was(kind: str, other: str, new_url: MakeUrl) -> None:
    async with a_full_one(new_url(kind)) as source, opened(new_url(other)) as target:
        report = await copied(source, target)

        assert report.is_equal
        assert await content(target) == await content(source)
        assert {table.name for table in report.tables} == set(metadata.tables)
        assert report.rows == 20 * len(metadata.tables)


@POSTGRESQL
async def test_there_and_back_is_the_same(new_url: MakeUrl) -> None:
    async with (
        a_full_one(new_url("sqlite")) as first,
        opened(new_url("postgresql")) as second,
        opened(new_url("sqlite")) as third,
    ):
        there = await copied(first, second)
        back = await copied(second, third)

        assert await content(third) == await content(first)
        assert [table.source for table in there.tables] == [
            table.target for table in back.tables
        ]


@pytest.mark.parametrize(("kind", "other"), DIRECTIONS)
async def test_an_archive_id_is_not_given_again(
    kind: str, other: str, new_url: MakeUrl
) -> None:
    async with a_full_one(new_url(kind)) as source, opened(new_url(other)) as target:
        if kind == "postgresql":
            await run(source, f"SELECT setval('message_archive_id_seq', {LAST_GIVEN})")

        await copied(source, target)

        assert await number_of(target) == LAST_GIVEN + 1


@POSTGRESQL
async def test_every_rising_id_goes_on(new_url: MakeUrl) -> None:
    async with a_full_one(new_url("sqlite")) as source, opened(new_url("postgresql")) as target:
        await copied(source, target)

        async def given(table: Table) -> int:
            async def work(connection: AsyncConnection) -> int:
                [key] = table.primary_key
                sequence = f"{table.name}_{key.name}_seq"
                return int(await connection.scalar(text(f"SELECT nextval('{sequence}')")) or 0)

            return await target.write(work)

        numbered = [t for t in metadata.sorted_tables if t.autoincrement_column is not None]
        assert {t.name: await given(t) for t in numbered if t is not message} == {
            t.name: 61 for t in numbered if t is not message
        }


@POSTGRESQL
async def test_a_language_that_sorts_otherwise_makes_no_difference(new_url: MakeUrl) -> None:
    async with (
        a_full_one(new_url("sqlite")) as source,
        opened(new_url("postgresql"), upgraded=True) as target,
    ):
        await run(
            target,
            'ALTER TABLE peer ALTER COLUMN aor TYPE text COLLATE "en-x-icu"',
            'ALTER TABLE idempotency ALTER COLUMN scope TYPE text COLLATE "de-x-icu"',
        )

        assert (await copied(source, target)).is_equal


async def test_a_gateway_works_on_the_copy(new_url: MakeUrl) -> None:
    async with opened(new_url("sqlite"), upgraded=True) as source:
        stored = received("before")
        await SqlMessageStore(database=source).add_inbound([arrival(stored)])
        async with opened(new_url("sqlite")) as target:
            await copied(source, target)
            store = SqlMessageStore(database=target)

            added = await store.add_inbound([arrival(stored), arrival(received("after"))])

            assert [message.text for message in added] == ["after"]


@pytest.mark.parametrize("kind", TARGETS)
async def test_what_arrives_changed_is_told_with_nothing_kept(
    kind: str, new_url: MakeUrl
) -> None:
    async with (
        a_full_one(new_url("sqlite")) as source,
        opened(new_url(kind), upgraded=True) as target,
    ):
        await change_what_arrives(target)

        report = await copied(source, target)

        assert not report.is_equal
        assert [table.name for table in report.tables if not table.is_equal] == ["peer"]
        assert await content(target) == nothing()


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("step", list(Step))
async def test_an_interrupted_copy_leaves_nothing_and_can_be_repeated(
    kind: str, step: Step, new_url: MakeUrl
) -> None:
    async with a_full_one(new_url("sqlite")) as source, opened(new_url(kind)) as target:

        def interrupt(progress: Progress) -> None:
            if (progress.step, progress.table) == (step, "message"):
                copying.cancel()

        copying = asyncio.create_task(copied(source, target, interrupt))
        with pytest.raises(asyncio.CancelledError):
            await copying

        assert await content(target) == nothing()
        assert (await copied(source, target)).is_equal


async def test_the_file_that_is_copied_takes_no_writer(new_url: MakeUrl) -> None:
    url = new_url("sqlite")
    refused: list[str] = []

    def write(_: Progress) -> None:
        file = url.removeprefix("sqlite+aiosqlite:///")
        with (
            closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other,
            pytest.raises(sqlite3.OperationalError) as caught,
        ):
            other.execute("BEGIN IMMEDIATE")
        refused.append(str(caught.value))

    async with a_full_one(url) as source, opened(new_url("sqlite")) as target:
        await copied(source, target, write)

    assert set(refused) == {"database is locked"}


@POSTGRESQL
async def test_what_is_written_to_the_server_meanwhile_is_left_behind(new_url: MakeUrl) -> None:
    url = new_url("postgresql")

    def write(_: Progress) -> None:
        plain = url.replace("+asyncpg", "")
        subprocess.run(["psql", "--quiet", plain, "-c", "DELETE FROM token"], check=True)

    async with a_full_one(url) as source, opened(new_url("sqlite")) as target:
        before = await content(source)

        assert (await copied(source, target, write)).is_equal
        assert await content(target) == before


@pytest.mark.parametrize("kind", TARGETS)
async def test_a_target_with_rows_is_refused(kind: str, new_url: MakeUrl) -> None:
    async with (
        a_full_one(new_url("sqlite")) as source,
        opened(new_url(kind), upgraded=True) as target,
    ):
        await target.write(lambda c: c.execute(insert(token), row(token, 1)))
        before = await content(target)

        with pytest.raises(ConflictError, match=r"token has rows; create a new database"):
            await copied(source, target)

        assert await content(target) == before


async def test_the_configured_database_itself_is_refused(new_url: MakeUrl) -> None:
    url = new_url("sqlite")
    async with a_full_one(url) as source, opened(url) as target:
        with pytest.raises(ConfigError, match="is the configured database itself"):
            await copied(source, target)


async def test_a_new_source_is_refused(new_url: MakeUrl) -> None:
    async with opened(new_url("sqlite")) as source, opened(new_url("sqlite")) as target:
        with pytest.raises(ConfigError, match=r"nothing to copy; name .* by --config"):
            await copied(source, target)

        assert (await target.revision()).current is None
