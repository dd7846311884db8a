"""A settlement that comes again, since the acknowledgement of its commit was lost."""

from datetime import timedelta

import pytest

from gateway.message import Deferred, Delivered, Failed, FinalResponse, Outcome, Status
from gateway.store.messages import SqlMessageStore
from gateway.store.search import SqlArchive
from tests.contract.samples import AWAY, HOUR, MINUTE, sent, settled
from tests.fakes import NOON, OK

LATER = NOON + MINUTE


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(Delivered(OK), id="delivered"),
        pytest.param(Failed(FinalResponse(404, "Not Found")), id="failed"),
        pytest.param(Deferred(AWAY, LATER, Status.WAITING), id="deferred"),
    ],
)
async def test_its_attempt_is_in_the_history_once(
    store: SqlMessageStore, archive: SqlArchive, outcome: Outcome
) -> None:
    submission = sent()
    await store.add_outbound(submission)
    (delivery,) = await store.lease_due(NOON, HOUR, 1, 1)
    settlement = settled(delivery, outcome)

    for _ in range(2):
        await store.settle(settlement)

    archived = await archive.get(submission.message.id)
    assert archived is not None
    assert archived.message.attempts == 1
    assert list(await archive.attempts(submission.message.id)) == [settlement.attempt]


async def test_a_later_attempt_at_the_same_delivery_is_another(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    submission = sent()
    await store.add_outbound(submission)
    for after in (timedelta(), MINUTE, 2 * MINUTE):
        (delivery,) = await store.lease_due(NOON + after, HOUR, 1, 1)
        deferred = Deferred(AWAY, NOON + after + MINUTE, Status.WAITING)
        await store.settle(settled(delivery, deferred, at=NOON + after))

    attempts = await archive.attempts(submission.message.id)

    assert [attempt.at for attempt in attempts] == [NOON, NOON + MINUTE, NOON + 2 * MINUTE]


async def test_the_lease_of_a_later_attempt_stands(store: SqlMessageStore) -> None:
    await store.add_outbound(sent())
    (first,) = await store.lease_due(NOON, HOUR, 1, 1)
    settlement = settled(first, Deferred(AWAY, LATER, Status.WAITING))
    await store.settle(settlement)
    (under_way,) = await store.lease_due(LATER, HOUR, 1, 1)

    await store.settle(settlement)

    assert under_way.id == first.id
    assert await store.lease_due(LATER + MINUTE, HOUR, 1, 1) == []
