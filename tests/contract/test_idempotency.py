"""Idempotency keys: the same request has one effect."""

import asyncio
from datetime import timedelta

import pytest

from gateway.errors import ConflictError
from gateway.idempotency import Claim, IdempotencyKey, StoredResponse
from gateway.store.idempotency import SqlIdempotency
from gateway.store.messages import SqlMessageStore
from tests.contract.samples import MINUTE, sent
from tests.fakes import NOON

KEY = IdempotencyKey("token:crm POST /v1/messages", "k1")
ANSWER = StoredResponse(202, '{"id": "msg_1"}', "/v1/messages/msg_1")
DAY = timedelta(days=1)


async def test_a_completed_key_gives_its_response(idempotency: SqlIdempotency) -> None:
    first = await idempotency.claim(KEY, "f1", NOON)
    await idempotency.complete(KEY, ANSWER)

    again = await idempotency.claim(KEY, "f1", NOON + DAY)

    assert (first, again) == (Claim.CLAIMED, ANSWER)


async def test_another_body_is_a_mismatch(idempotency: SqlIdempotency) -> None:
    await idempotency.claim(KEY, "f1", NOON)
    running = await idempotency.claim(KEY, "f2", NOON)
    await idempotency.complete(KEY, ANSWER)

    assert running is Claim.MISMATCH
    assert await idempotency.claim(KEY, "f2", NOON) is Claim.MISMATCH


async def test_of_many_at_once_one_gets_the_key(idempotency: SqlIdempotency) -> None:
    claims = await asyncio.gather(*(idempotency.claim(KEY, "f1", NOON) for _ in range(5)))

    assert sorted(claims, key=str) == [Claim.CLAIMED] + [Claim.IN_PROGRESS] * 4


async def test_of_keys_that_come_together_only_the_new_ones_are_claimed(
    idempotency: SqlIdempotency,
) -> None:
    others = [IdempotencyKey(KEY.scope, name) for name in ("k0", "k2")]
    await idempotency.claim(KEY, "f1", NOON)
    await idempotency.complete(KEY, ANSWER)

    claims = await asyncio.gather(
        *(idempotency.claim(key, "f1", NOON) for key in (others[0], KEY, others[1]))
    )

    assert claims == [Claim.CLAIMED, ANSWER, Claim.CLAIMED]


async def test_a_key_belongs_to_its_scope(idempotency: SqlIdempotency) -> None:
    await idempotency.claim(KEY, "f1", NOON)

    other = await idempotency.claim(IdempotencyKey("token:monitor", "k1"), "f2", NOON)

    assert other is Claim.CLAIMED


async def test_an_abandoned_key_may_be_used_again(idempotency: SqlIdempotency) -> None:
    await idempotency.claim(KEY, "f1", NOON)

    await idempotency.abandon(KEY)

    assert await idempotency.claim(KEY, "f2", NOON) is Claim.CLAIMED


async def test_a_response_that_was_given_is_not_abandoned(idempotency: SqlIdempotency) -> None:
    await idempotency.claim(KEY, "f1", NOON)
    await idempotency.complete(KEY, ANSWER)

    await idempotency.abandon(KEY)

    assert await idempotency.claim(KEY, "f1", NOON) == ANSWER


@pytest.mark.parametrize(
    ("later", "claim"),
    [
        pytest.param(6 * DAY, ANSWER, id="within a week"),
        pytest.param(7 * DAY, Claim.CLAIMED, id="after a week"),
    ],
)
async def test_a_response_is_kept_a_week(
    idempotency: SqlIdempotency, later: timedelta, claim: Claim | StoredResponse
) -> None:
    await idempotency.claim(KEY, "f1", NOON)
    await idempotency.complete(KEY, ANSWER)

    assert await idempotency.claim(KEY, "f1", NOON + later) == claim


async def test_a_key_is_completed_with_the_message_it_queued(
    idempotency: SqlIdempotency, store: SqlMessageStore
) -> None:
    await idempotency.claim(KEY, "f1", NOON)

    await store.add_outbound(sent(), completes=(KEY, ANSWER))

    assert await idempotency.claim(KEY, "f1", NOON) == ANSWER
    assert await store.queue_depth() == 1


async def test_a_claim_that_a_crash_cut_off_is_taken_over_and_effective_once(
    idempotency: SqlIdempotency, store: SqlMessageStore
) -> None:
    await idempotency.claim(KEY, "f1", NOON)

    taken_over = await idempotency.claim(KEY, "f1", NOON + MINUTE)
    await store.add_outbound(sent(), completes=(KEY, ANSWER))

    assert taken_over is Claim.CLAIMED
    with pytest.raises(ConflictError):
        await store.add_outbound(sent(), completes=(KEY, ANSWER))
    assert await store.queue_depth() == 1
