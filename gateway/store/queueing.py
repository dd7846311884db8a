"""Queueing: messages on their way into the outbox."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import ConflictError
from gateway.idempotency import IdempotencyKey, StoredResponse
from gateway.message import MessageId, Submission
from gateway.store import lanes
from gateway.store.among import among
from gateway.store.prepared import Prepared, PreparedQuery
from gateway.store.rows import delivery_values, message_values
from gateway.store.tables import IS_OPEN, delivery, idempotency, message

Completion = tuple[IdempotencyKey, StoredResponse]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an inbound message is answered with."""

    message_id: MessageId
    replies: Sequence[Submission]


_CLAIMED = PreparedQuery(
    select(idempotency.c.scope, idempotency.c.key)
    .where(
        among(idempotency.c.key, "keys"),
        idempotency.c.status.is_(None),
    )
    .order_by(idempotency.c.scope, idempotency.c.key)
    .with_for_update()
)
_COMPLETE = Prepared(
    update(idempotency)
    .where(
        idempotency.c.scope == bindparam("in_scope"),
        idempotency.c.key == bindparam("this_key"),
    )
    .values(status=bindparam("answered"), body=bindparam("with_body"), location=bindparam("at"))
)
_INSERT = Prepared(insert(message))
_ARCHIVE_ID = (
    select(message.c.archive_id).where(message.c.id == bindparam("of")).scalar_subquery()
)
_INSERT_DELIVERY = Prepared(insert(delivery).values(archive_id=_ARCHIVE_ID))
_ANSWERED = PreparedQuery(
    update(message)
    .where(among(message.c.id, "ids"), message.c.unanswered)
    .values(unanswered=False)
    .returning(message.c.id)
)
_LEAD = Prepared(
    update(delivery)
    .where(
        delivery.c.peer == bindparam("of_peer"),
        delivery.c.account == bindparam("by_account"),
        IS_OPEN,
        or_(
            delivery.c.target != bindparam("there"),
            delivery.c.destination != bindparam("towards"),
        ),
    )
    .values(target=bindparam("there"), destination=bindparam("towards"))
)


async def queue(connection: AsyncConnection, submissions: Sequence[Submission]) -> None:
    """Store messages with their deliveries; within a peer, in this order."""
    aors = peers(submissions)
    await lanes.lock(connection, aors)
    await insert_all(connection, submissions)
    await lanes.refresh(connection, aors)


def peers(submissions: Iterable[Submission]) -> set[str]:
    """To whom they go."""
    return {part.peer for submission in submissions for part in submission.deliveries}


async def insert_all(connection: AsyncConnection, submissions: Sequence[Submission]) -> None:
    """As ``queue``, where the lanes are locked, and will be refreshed."""
    await _INSERT.run(connection, [message_values(item.message) for item in submissions])
    await _INSERT_DELIVERY.run(
        connection,
        [
            delivery_values(item, place) | {"of": item.message_id}
            for submission in submissions
            for place, item in enumerate(submission.deliveries)
        ],
    )


async def complete(connection: AsyncConnection, completions: Sequence[Completion]) -> None:
    """Raises ConflictError when another request completed one of the keys meanwhile."""
    if not completions:
        return
    keys = [key for key, _ in completions]
    rows = await _CLAIMED.rows(connection, {"keys": [key.key for key in keys]})
    claimed = {IdempotencyKey(row.scope, row.key) for row in rows}
    for key in keys:
        if key not in claimed:
            raise ConflictError(
                f"the idempotency key {key.key} is not claimed, or was completed"
            )
        claimed.remove(key)
    await _COMPLETE.run(
        connection,
        [
            {
                "in_scope": key.scope,
                "this_key": key.key,
                "answered": response.status,
                "with_body": response.body,
                "at": response.location,
            }
            for key, response in completions
        ],
    )


async def answered(
    connection: AsyncConnection, answers: Sequence[Answer]
) -> Sequence[Submission]:
    """Mark inbound messages answered; one that was already gets no second reply."""
    if not answers:
        return []
    ids = {"ids": [item.message_id for item in answers]}
    unanswered = {row.id for row in await _ANSWERED.rows(connection, ids)}
    replies: list[Submission] = []
    for item in answers:
        if item.message_id in unanswered:
            unanswered.remove(item.message_id)
            replies += item.replies
    return replies


async def lead(connection: AsyncConnection, replies: Sequence[Submission]) -> None:
    """What waits for a peer, whose lane is locked, goes where its reply goes.

    Without a registrar that is the port it wrote from last: what is still on its way to
    an earlier one would hold its replies back until it expires.
    """
    paths = {
        (item.peer, item.account): (item.target, item.destination)
        for reply in replies
        for item in reply.deliveries
    }
    await _LEAD.run(
        connection,
        [
            {"of_peer": peer, "by_account": account, "there": target, "towards": destination}
            for (peer, account), (target, destination) in paths.items()
        ],
    )
