"""Queueing: messages on their way into the outbox."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import ConflictError
from gateway.idempotency import IdempotencyKey, StoredResponse
from gateway.message import MessageId, Submission
from gateway.store import lanes
from gateway.store.prepared import Prepared
from gateway.store.rows import delivery_values, message_values
from gateway.store.tables import OPEN, delivery, idempotency, message

Completion = tuple[IdempotencyKey, StoredResponse]


_CLAIMED = (
    select(idempotency.c.scope, idempotency.c.key)
    .where(
        idempotency.c.key.in_(bindparam("keys", expanding=True)),
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
_ARCHIVE_IDS = select(message.c.id, message.c.archive_id).where(
    message.c.id.in_(bindparam("ids", expanding=True))
)
_INSERT_DELIVERY = Prepared(insert(delivery))
_ANSWERED = (
    update(message)
    .where(message.c.id.in_(bindparam("ids", expanding=True)), message.c.unanswered)
    .values(unanswered=False)
    .returning(message.c.id)
)
_LEAD = Prepared(
    update(delivery)
    .where(
        delivery.c.peer == bindparam("of_peer"),
        delivery.c.account == bindparam("by_account"),
        delivery.c.state == OPEN,
        or_(
            delivery.c.target != bindparam("there"),
            delivery.c.destination != bindparam("towards"),
        ),
    )
    .values(target=bindparam("there"), destination=bindparam("towards"))
)


async def queue(connection: AsyncConnection, submissions: Sequence[Submission]) -> None:
    """Store messages with their deliveries; within a peer, in this order."""
    if not submissions:
        return
    await _INSERT.run(connection, [message_values(item.message) for item in submissions])
    ids = {"ids": [item.message.id for item in submissions]}
    rows = await connection.execute(_ARCHIVE_IDS, ids)
    archive_ids: dict[UUID, int] = {row.id: row.archive_id for row in rows}
    deliveries = [
        delivery_values(item, archive_ids[submission.message.id], place)
        for submission in submissions
        for place, item in enumerate(submission.deliveries)
    ]
    if not deliveries:
        return
    peers = {row["peer"] for row in deliveries}
    await lanes.lock(connection, peers)
    await _INSERT_DELIVERY.run(connection, deliveries)
    await lanes.refresh(connection, peers)


async def add(
    connection: AsyncConnection, items: Sequence[tuple[Submission, Completion | None]]
) -> Sequence[None]:
    """Queue what was submitted, and complete the idempotency keys it came with."""
    completions = [completion for _, completion in items if completion is not None]
    if completions:
        await complete(connection, completions)
    await queue(connection, [submission for submission, _ in items])
    return [None] * len(items)


async def complete(connection: AsyncConnection, completions: Sequence[Completion]) -> None:
    """Raises ConflictError when another request completed one of the keys meanwhile."""
    keys = [key for key, _ in completions]
    rows = await connection.execute(_CLAIMED, {"keys": [key.key for key in keys]})
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


async def answer(
    connection: AsyncConnection, items: Sequence[tuple[MessageId, Sequence[Submission]]]
) -> Sequence[None]:
    """Mark inbound messages answered; one that was already gets no second reply."""
    ids = {"ids": [message_id for message_id, _ in items]}
    rows = await connection.execute(_ANSWERED, ids)
    unanswered = set(rows.scalars())
    replies: list[Submission] = []
    for message_id, its_replies in items:
        if message_id in unanswered:
            unanswered.remove(message_id)
            replies += its_replies
    await _lead(connection, replies)
    await queue(connection, replies)
    return [None] * len(items)


async def _lead(connection: AsyncConnection, replies: Sequence[Submission]) -> None:
    """What waits for a peer goes where its reply goes.

    Without a registrar that is the port it wrote from last: what is still on its way to
    an earlier one would hold its replies back until it expires.
    """
    paths = {
        (item.peer, item.account): (item.target, item.destination)
        for reply in replies
        for item in reply.deliveries
    }
    if not paths:
        return
    await lanes.lock(connection, [peer for peer, _ in paths])
    await _LEAD.run(
        connection,
        [
            {"of_peer": peer, "by_account": account, "there": target, "towards": destination}
            for (peer, account), (target, destination) in paths.items()
        ],
    )
