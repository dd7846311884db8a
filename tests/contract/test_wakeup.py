"""What one gateway makes due wakes the others on the same PostgreSQL database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.call import Call, CallDirection
from gateway.call_log import CallCommit
from gateway.config import DatabaseSettings
from gateway.hook_delivery import HookDelivery
from gateway.message import Deferred, Delivered, Failed, Status
from gateway.patience import Patience
from gateway.store.calls import SqlCallLog
from gateway.store.database import Database
from gateway.store.hooks import SqlHookLog
from gateway.store.messages import SqlMessageStore
from gateway.store.wakeup import CHANNEL, Wakeup
from tests.contract.samples import (
    AWAY,
    BERT,
    HOUR,
    MINUTE,
    NOT_ALLOWED,
    arrival,
    received,
    sent,
    settled,
)
from tests.fakes import NOON, OK

pytestmark = [pytest.mark.peer("postgresql"), pytest.mark.timeout(60)]
SOON = Patience(first=timedelta(milliseconds=50), longest=timedelta(milliseconds=50))
LISTENERS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
)

Deed = Callable[[SqlMessageStore], Awaitable[object]]


class Woken:
    """How often another node was woken."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def wake(self) -> None:
        self._event.set()

    async def until_woken(self) -> None:
        async with asyncio.timeout(20):
            await self._event.wait()
        self._event.clear()


@pytest.fixture
def settings(postgresql_url: str) -> DatabaseSettings:
    return DatabaseSettings(url=postgresql_url, auto_upgrade=True)


@pytest.fixture
async def other(
    database: Database, settings: DatabaseSettings, tmp_path: Path
) -> AsyncIterator[Database]:
    """Another node's."""
    async with Database(settings=settings, data_dir=tmp_path, node="pc-2") as opened:
        yield opened


@asynccontextmanager
async def listening(database: Database) -> AsyncIterator[Woken]:
    """It listens already."""
    woken = Woken()
    wakeup = Wakeup(database=database, wake=woken.wake, patience=SOON)
    async with asyncio.TaskGroup() as group:
        flow = group.create_task(wakeup.run())
        await woken.until_woken()  # by its start: what came before was not heard
        yield woken
        flow.cancel()


async def submits(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("hello"))


async def answers(store: SqlMessageStore) -> None:
    message = received("help")
    await store.add_inbound([arrival(message, needs_answer=True)])
    await store.settle_inbound(message.id, [sent("OK help")])


async def resends(store: SqlMessageStore) -> None:
    first = sent("hello")
    await store.add_outbound(first)
    await store.cancel(first.message.id, NOON)
    await store.resend(first.message.id, sent("hello"))


DEEDS = {"submits": submits, "answers": answers, "resends": resends}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
async def test_a_node_that_makes_something_due_wakes_the_others(
    store: SqlMessageStore, other: Database, deed: Deed
) -> None:
    async with listening(other) as woken:
        await deed(store)

        await woken.until_woken()


async def test_who_is_told_of_a_failure_wakes_the_others(
    store: SqlMessageStore, other: Database
) -> None:
    await store.add_outbound(sent("hello"))
    [delivery] = await store.lease_due(NOON, MINUTE, 10, 50)
    failed = settled(delivery, Failed(NOT_ALLOWED), notices=(sent("it failed", peer=BERT),))

    async with listening(other) as woken:
        await store.settle(failed)

        await woken.until_woken()


async def test_what_another_account_is_to_send_next_wakes_its_node(
    database: Database, other: Database
) -> None:
    store = SqlMessageStore(database=database, accounts={"sales"})
    await store.add_outbound(sent("first", account="sales"))
    await store.add_outbound(sent("second", account="support"))
    [delivery] = await store.lease_due(NOON, MINUTE, 10, 50)

    async with listening(other) as woken:
        await store.settle(settled(delivery, Delivered(OK)))

        await woken.until_woken()


async def test_what_is_found_to_be_another_accounts_wakes_its_node(
    database: Database, other: Database
) -> None:
    store = SqlMessageStore(database=database, accounts={"sales"})
    await store.add_outbound(sent("first", account="support", due_at=NOON + MINUTE))
    await store.add_outbound(sent("second", account="sales"))

    async with listening(other) as woken:
        assert await store.lease_due(NOON + HOUR, MINUTE, 10, 50) == []

        await woken.until_woken()


async def test_what_is_handed_back_wakes_the_others(
    store: SqlMessageStore, other: Database
) -> None:
    await store.add_outbound(sent("hello"))
    [delivery] = await store.lease_due(NOON, MINUTE, 10, 50)

    async with listening(other) as woken:
        await store.release([delivery.id])

        await woken.until_woken()


async def test_what_is_cancelled_makes_way_for_others(
    store: SqlMessageStore, other: Database
) -> None:
    first = sent("hello")
    await store.add_outbound(first)

    async with listening(other) as woken:
        await store.cancel(first.message.id, NOON)

        await woken.until_woken()


async def test_a_peer_that_writes_wakes_the_others(
    store: SqlMessageStore, other: Database
) -> None:
    await store.add_outbound(sent("for Anna"))
    [delivery] = await store.lease_due(NOON, MINUTE, 10, 50)
    await store.settle(settled(delivery, Deferred(AWAY, NOON + HOUR, Status.WAITING)))

    async with listening(other) as woken:
        await store.add_inbound([arrival(received("I am back"))])

        await woken.until_woken()


async def test_a_registrar_that_returns_wakes_the_others(
    store: SqlMessageStore, other: Database
) -> None:
    async with listening(other) as woken:
        await store.account_returned("bot", NOON)

        await woken.until_woken()


async def test_the_messages_of_a_hook_wake_the_others(
    hook_log: SqlHookLog, other: Database
) -> None:
    delivery = HookDelivery(
        id="hook_1",
        source="crm",
        duplicate_key="",
        received_at=NOON,
        content_type="application/json",
        body=b"{}",
        headers=(),
    )

    async with listening(other) as woken:
        await hook_log.add_hook(delivery, [sent("hello")])

        await woken.until_woken()


async def test_a_notice_of_a_call_wakes_the_others(database: Database, other: Database) -> None:
    missed = Call(id="call_1", direction=CallDirection.INCOMING, peer="1002", started_at=NOON)

    async with listening(other) as woken:
        await SqlCallLog(database=database).store_call(
            CallCommit(call=missed, notices=(sent("a call rings"),))
        )

        await woken.until_woken()


async def test_a_node_does_not_wake_itself(other: Database) -> None:
    wakeup = Wakeup(database=other, wake=lambda: None, patience=SOON)

    wakeup._heard(None, 0, CHANNEL, "pc-2")
    by_itself = wakeup._told.is_set()
    wakeup._heard(None, 0, CHANNEL, "pc-1")

    assert (by_itself, wakeup._told.is_set()) == (False, True)


async def test_a_listener_whose_connection_ended_listens_again(
    database: Database, store: SqlMessageStore, other: Database
) -> None:
    async def cut(connection: AsyncConnection) -> int:
        return len((await connection.execute(text(LISTENERS))).all())

    async with listening(other) as woken:
        assert await database.write(cut) == 1
        await woken.until_woken()  # by its return

        await store.add_outbound(sent("hello"))

        await woken.until_woken()
