"""Group commit: many calls, one transaction, no shared fate."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.config import DatabaseSettings
from gateway.errors import ConflictError, StorageUnavailable
from gateway.idempotency import IdempotencyKey, StoredResponse
from gateway.message import MessageId, uuid7
from gateway.store.database import Database
from gateway.store.group_commit import GroupCommit
from gateway.store.messages import SqlMessageStore
from tests.contract.samples import MINUTE, arrival, received, sent
from tests.fakes import NOON

KEY = IdempotencyKey("token:crm POST /v1/messages", "k1")
HELD_SECONDS = 5
ANSWER = StoredResponse(202, "{}", "/v1/messages/1")


async def bodies(store: SqlMessageStore) -> list[str]:
    return [delivery.body for delivery in await store.lease_due(NOON, MINUTE, 100, 100)]


async def test_a_call_that_fails_leaves_those_beside_it_alone(
    store: SqlMessageStore,
) -> None:
    stored = sent("stored before")
    await store.add_outbound(stored)

    results = await asyncio.gather(
        store.add_outbound(sent("left", peer=received().peer)),
        store.add_outbound(stored),
        store.add_outbound(sent("right")),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [type(None), ConflictError, type(None)]
    assert await store.queue_depth() == 3


async def test_a_refused_statement_fails_its_own_call(store: SqlMessageStore) -> None:
    broken = sent("broken", due_at=NOON.replace(tzinfo=None))

    results = await asyncio.gather(
        store.add_outbound(broken), store.add_outbound(sent("fine")), return_exceptions=True
    )

    assert isinstance(results[0], StorageUnavailable)
    assert results[1] is None
    assert await bodies(store) == ["fine"]


async def test_a_call_alone_that_fails_changes_nothing(store: SqlMessageStore) -> None:
    submission = sent("1")
    twice = replace(submission, deliveries=(*submission.deliveries, *submission.deliveries))

    with pytest.raises(ConflictError):
        await store.add_outbound(twice)

    await store.add_outbound(submission)
    assert await bodies(store) == ["1"]


async def test_a_cancelled_caller_does_not_cancel_its_neighbours(
    store: SqlMessageStore,
) -> None:
    async with asyncio.TaskGroup() as callers:
        leaving = callers.create_task(store.add_outbound(sent("leaving")))
        staying = callers.create_task(store.add_outbound(sent("staying")))
        callers.create_task(_cancel(leaving))

    assert (leaving.cancelled(), staying.exception()) == (True, None)
    assert await bodies(store) == ["staying"]


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()


async def test_more_calls_than_a_batch_holds_are_all_committed(
    store: SqlMessageStore,
) -> None:
    await asyncio.gather(*(store.add_outbound(sent()) for _ in range(450)))

    assert await store.queue_depth() == 450


async def test_answers_given_together_are_each_queued(store: SqlMessageStore) -> None:
    asked = [received(str(number)) for number in range(5)]
    await store.add_inbound([arrival(message, needs_answer=True) for message in asked])

    await asyncio.gather(
        *(store.settle_inbound(message.id, [sent(message.text)]) for message in asked),
        store.settle_inbound(MessageId(uuid7(NOON)), [sent("to nothing")]),
    )

    assert list(await store.unhandled()) == []
    assert await store.queue_depth() == 5


async def test_a_key_that_is_not_claimed_queues_nothing(store: SqlMessageStore) -> None:
    with pytest.raises(ConflictError):
        await store.add_outbound(sent(), completes=(KEY, ANSWER))

    assert await store.queue_depth() == 0


async def test_a_batch_takes_all_that_waits_when_its_turn_comes(tmp_path: Path) -> None:
    let_go = threading.Event()
    batches: list[list[int]] = []

    async def hold(_: AsyncConnection) -> None:
        let_go.wait(HELD_SECONDS)

    async def note(_: AsyncConnection, items: Sequence[int]) -> Sequence[None]:
        batches.append(list(items))
        return [None] * len(items)

    async with (
        Database(settings=DatabaseSettings(), data_dir=tmp_path) as with_one_writer,
        asyncio.TaskGroup() as calls,
    ):
        group = GroupCommit(database=with_one_writer, work=note)
        calls.create_task(with_one_writer.write(hold))
        calls.create_task(group.submit(1))
        await with_one_writer.health()  # meanwhile the first has come to queue
        calls.create_task(group.submit(2))
        calls.create_task(group.submit(3))
        await with_one_writer.health()
        let_go.set()

    assert batches == [[1, 2, 3]]
