"""PostgreSQL went away between a commit and its acknowledgement: the call comes again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from gateway.config import DatabaseSettings
from gateway.errors import StorageUnavailable
from gateway.message import MessageId, uuid7
from gateway.metrics import Metrics
from gateway.phone import CommandEntry
from gateway.store.audit import SqlCommandLog
from gateway.store.database import Database
from gateway.store.messages import SqlMessageStore
from tests.contract.lossy import LossyConnection
from tests.contract.samples import ANNA, arrival, received, sent
from tests.fakes import NOON

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.timeout(60)]


@pytest.fixture
async def connection(postgresql_url: str) -> AsyncIterator[LossyConnection]:
    async with LossyConnection(postgresql_url).serving() as serving:
        yield serving


@pytest.fixture
async def database(connection: LossyConnection, tmp_path: Path) -> AsyncIterator[Database]:
    settings = DatabaseSettings(url=connection.url, auto_upgrade=True)
    async with Database(settings=settings, data_dir=tmp_path) as opened:
        await opened.prepare()
        yield opened


@pytest.fixture
def entry() -> CommandEntry:
    message_id = MessageId(uuid7(NOON))
    return CommandEntry(
        id=f"cmd_{message_id}",
        at=NOON,
        who=ANNA,
        proof="contact parameter",
        origin="sip",
        text="dial 1002",
        verb="dial",
        message_id=message_id,
    )


async def test_a_stored_command_is_handed_over(
    connection: LossyConnection, store: SqlMessageStore
) -> None:
    batch = [arrival(received("help"), needs_answer=True)]
    connection.lose(1)
    with pytest.raises(StorageUnavailable):
        await store.add_inbound(batch)

    again = await store.add_inbound(batch)

    assert list(again) == [batch[0].message]


async def test_calls_that_came_together_are_each_told_that_the_database_is_away(
    connection: LossyConnection, store: SqlMessageStore
) -> None:
    connection.lose(1)

    results = await asyncio.gather(
        store.add_outbound(sent("1")), store.add_outbound(sent("2")), return_exceptions=True
    )

    assert [isinstance(result, StorageUnavailable) for result in results] == [True, True]


async def test_a_command_begun_again_may_be_run(
    connection: LossyConnection, command_log: SqlCommandLog, entry: CommandEntry
) -> None:
    connection.lose(1)
    with pytest.raises(StorageUnavailable):
        await command_log.begin(entry)

    earlier = await command_log.begin(entry)

    assert earlier is None
    assert list(await command_log.commands(1)) == [entry]


async def test_a_command_begun_again_under_a_new_id_may_be_run_once(
    connection: LossyConnection, command_log: SqlCommandLog, entry: CommandEntry
) -> None:
    second, third, fourth = (replace(entry, id=f"{entry.id}_{n}") for n in (2, 3, 4))
    connection.lose(2)
    for lost in (entry, second):
        with pytest.raises(StorageUnavailable):
            await command_log.begin(lost)

    results = [await command_log.begin(third), await command_log.begin(fourth)]

    assert results == [None, third]


async def test_a_command_begun_by_a_process_that_is_gone_is_not_run(
    connection: LossyConnection,
    command_log: SqlCommandLog,
    database: Database,
    entry: CommandEntry,
) -> None:
    connection.lose(1)
    with pytest.raises(StorageUnavailable):
        await command_log.begin(entry)
    restarted = SqlCommandLog(database=database, metrics=Metrics(CollectorRegistry()))

    earlier = await restarted.begin(replace(entry, id=f"{entry.id}_2"))

    assert earlier == entry
