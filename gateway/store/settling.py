"""Settling: what an attempt makes of a delivery, its message and its peer."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from sqlalchemy import Text, and_, bindparam, case, func, insert, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.message import (
    Deferred,
    Delivered,
    Delivery,
    DeliveryId,
    Expired,
    Failed,
    FinalResponse,
    Outcome,
    Replaced,
    Settlement,
    Status,
)
from gateway.store import leasing, queueing
from gateway.store.among import among
from gateway.store.events import EventOutbox
from gateway.store.prepared import Prepared, PreparedQuery
from gateway.store.rows import (
    AnyRow,
    attempt_values,
    delivery_values,
    response_values,
    to_message,
)
from gateway.store.tables import IS_OPEN, OPEN, attempt, delivery, message, peer

REPLACED = "replaced"

# Built once: to build a statement takes longer than to run it.
_FIND = PreparedQuery(
    select(
        delivery.c.id,
        delivery.c.number,
        delivery.c.archive_id,
        delivery.c.place,
        delivery.c.peer,
        delivery.c.state,
        delivery.c.attempts,
        peer.c.held_until,
        and_(peer.c.known, peer.c.refuses == 0, peer.c.held_until.is_(null())).label("taking"),
    )
    .join(peer, peer.c.aor == delivery.c.peer)
    .where(among(delivery.c.id, "ids"))
)
_RECORD = Prepared(insert(attempt))
_RECORDED = select(attempt.c.delivery, attempt.c.at).where(among(attempt.c.delivery, "numbers"))
_CLOSE = Prepared(
    update(delivery)
    .where(among(delivery.c.number, "numbers"))
    .values(state=bindparam("end"), attempts=delivery.c.attempts + bindparam("made"))
)
_STATUS = {
    "status": func.coalesce(bindparam("now_is", type_=Text), message.c.status),
    "settled_at": func.coalesce(
        bindparam("since", type_=message.c.settled_at.type), message.c.settled_at
    ),
}
_SET_STATUS = Prepared(
    update(message).where(message.c.archive_id == bindparam("which")).values(_STATUS)
)
_SET_RESPONSE = Prepared(
    update(message)
    .where(message.c.archive_id == bindparam("which"))
    .values(
        attempts=message.c.attempts + bindparam("made"),
        resent=or_(message.c.resent, bindparam("again", type_=message.c.resent.type)),
        **{name: bindparam(name) for name in response_values(None)},
        **_STATUS,
    )
)
_MESSAGES = PreparedQuery(select(message).where(among(message.c.archive_id, "ids")))
_FINISHED = PreparedQuery(
    select(
        delivery.c.archive_id,
        func.sum(case((delivery.c.state == Status.RELAYED.value, 1), else_=0)).label("relayed"),
    )
    .where(among(delivery.c.archive_id, "ids"))
    .group_by(delivery.c.archive_id)
    .having(func.sum(case((IS_OPEN, 1), else_=0)) == 0)
)
_TAKEN = Prepared(
    update(peer)
    .where(among(peer.c.aor, "aors"))
    .values(known=True, refuses=0, refused_at=null(), held_until=null())
)


@dataclass(frozen=True, slots=True)
class _Settled:
    """A settlement with the delivery's row, as it was before."""

    settlement: Settlement
    row: AnyRow

    @property
    def outcome(self) -> Outcome:
        return self.settlement.outcome

    @property
    def may_come_again(self) -> bool:
        """Something has become of the delivery since it was leased: perhaps this very thing."""
        attempts: int = self.row.attempts
        return self.row.state != OPEN or attempts > self.settlement.delivery.attempts


async def settle(
    connection: AsyncConnection,
    settlements: Sequence[Settlement],
    *,
    node: str,
    events: EventOutbox,
) -> dict[DeliveryId, Status]:
    """For each attempt of *node*: the status of its message, if that made it final.

    One whose delivery is closed, since it was cancelled or made under a lease that ran
    out, leaves its attempt in the history and changes nothing else. The lanes, those of
    notices too, are locked, and are to be refreshed.
    """
    if not settlements:
        return {}
    found = await _find(connection, settlements)
    again = await _again(connection, found)
    new = [item for item in found if item.row.id not in again]
    await _record_attempts(connection, new)
    still_open = [item for item in new if item.row.state == OPEN]
    await _close(connection, still_open)
    await _replace(connection, still_open)
    statuses = await _statuses(connection, still_open)
    await _set_outcomes(connection, still_open, statuses)
    await _tell(connection, statuses, events)
    # What came again freed its lease the first time: this one may be of a later attempt.
    await leasing.free(connection, [item.row for item in new], node)
    await _remember(connection, still_open)
    await queueing.insert_all(
        connection, [n for item in still_open for n in item.settlement.notices]
    )
    return {
        item.row.id: status
        for item in still_open
        if (status := statuses.get(item.row.archive_id)) is not None and status.is_final
    }


async def _find(
    connection: AsyncConnection, settlements: Sequence[Settlement]
) -> list[_Settled]:
    by_id = {item.delivery.id: item for item in settlements}
    rows = await _FIND.rows(connection, {"ids": list(by_id)})
    return [_Settled(by_id[row.id], row) for row in rows]


async def _again(connection: AsyncConnection, found: Sequence[_Settled]) -> set[DeliveryId]:
    """Those whose attempt is recorded already: their commit was not acknowledged."""
    doubtful = [item for item in found if item.may_come_again]
    if not doubtful:
        return set()
    recorded = {
        (row.delivery, row.at)
        for row in await connection.execute(
            _RECORDED, {"numbers": [item.row.number for item in doubtful]}
        )
    }
    return {
        item.row.id
        for item in doubtful
        if item.settlement.attempt is not None
        and (item.row.number, item.settlement.attempt.at) in recorded
    }


async def _record_attempts(connection: AsyncConnection, found: Sequence[_Settled]) -> None:
    made = [
        attempt_values(item.settlement.attempt, item.row.number)
        for item in found
        if item.settlement.attempt is not None
    ]
    await _RECORD.run(connection, made)


async def _close(connection: AsyncConnection, items: Sequence[_Settled]) -> None:
    alike: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for item in items:
        made = int(item.settlement.attempt is not None)
        alike[_state(item.outcome), made].append(item.row.number)
    for (end, made), numbers in alike.items():
        await _CLOSE.run(connection, [{"numbers": numbers, "end": end, "made": made}])
    given_up = [i.row.archive_id for i in items if isinstance(i.outcome, Failed | Expired)]
    if given_up:
        await connection.execute(
            update(delivery)
            .where(delivery.c.archive_id.in_(given_up), IS_OPEN)
            .values(state=Status.CANCELED.value)
        )


def _state(outcome: Outcome) -> str:
    match outcome:
        case Delivered(response):
            return _delivered(response).value
        case Deferred():
            return OPEN
        case Replaced():
            return REPLACED
        case Failed():
            return Status.FAILED.value
        case Expired():
            return Status.EXPIRED.value
        case _:
            assert_never(outcome)


def _delivered(response: FinalResponse) -> Status:
    return Status.DELIVERED if response.status_code == 200 else Status.RELAYED


async def _replace(connection: AsyncConnection, items: Sequence[_Settled]) -> None:
    """Put the new deliveries in the place of the old one, before the parts behind it."""
    for item in items:
        if isinstance(item.outcome, Replaced):
            await _insert_after(connection, item.row, item.outcome.deliveries)


async def _insert_after(
    connection: AsyncConnection, row: AnyRow, parts: Sequence[Delivery]
) -> None:
    await connection.execute(
        update(delivery)
        .where(delivery.c.archive_id == row.archive_id, delivery.c.place > row.place)
        .values(place=delivery.c.place + len(parts))
    )
    await connection.execute(
        insert(delivery),
        [
            delivery_values(part, row.place + offset) | {"archive_id": row.archive_id}
            for offset, part in enumerate(parts, start=1)
        ],
    )


async def _set_outcomes(
    connection: AsyncConnection, items: Sequence[_Settled], statuses: Mapping[int, Status]
) -> None:
    """What came back, which one that expired unsent leaves as it was, with the status."""
    responses, others = [], []
    for item in items:
        status = statuses.get(item.row.archive_id)
        values = {
            "which": item.row.archive_id,
            "now_is": status and status.value,
            "since": item.settlement.at if status is not None and status.is_final else None,
        }
        if item.outcome.response is None:
            others.append(values)
            continue
        values["made"] = int(item.settlement.attempt is not None)
        values["again"] = _may_repeat(item)
        responses.append(values | response_values(item.outcome.response))
    await _SET_RESPONSE.run(connection, responses)
    await _SET_STATUS.run(connection, others)


async def _tell(
    connection: AsyncConnection, statuses: Mapping[int, Status], events: EventOutbox
) -> None:
    wanted = [archive_id for archive_id, status in statuses.items() if events.wants(status)]
    if wanted:
        rows = await _MESSAGES.rows(connection, {"ids": wanted})
        await events.queue_messages(connection, [to_message(row) for row in rows])


def _may_repeat(item: _Settled) -> bool:
    """It left, nothing came back: it may have been received, and will be sent again."""
    deferred = isinstance(item.outcome, Deferred) and item.outcome.response.local
    return deferred and item.settlement.sent


async def _statuses(
    connection: AsyncConnection, items: Sequence[_Settled]
) -> dict[int, Status]:
    """The new status of each message that gets one, by its archive id."""
    new: dict[int, Status] = {}
    finished = await _finished(connection, items)
    for item in items:
        archive_id = item.row.archive_id
        match item.outcome:
            case Deferred(status=status):
                new[archive_id] = status
            case Failed():
                new[archive_id] = Status.FAILED
            case Expired():
                new[archive_id] = Status.EXPIRED
            case Delivered() if archive_id in finished:
                new[archive_id] = finished[archive_id]
            case Delivered() | Replaced():
                pass
            case _:
                assert_never(item.outcome)
    return new


async def _finished(
    connection: AsyncConnection, items: Sequence[_Settled]
) -> dict[int, Status]:
    """Messages of which every part arrived; relayed when any part only was."""
    ids = [item.row.archive_id for item in items if isinstance(item.outcome, Delivered)]
    if not ids:
        return {}
    rows = await _FINISHED.rows(connection, {"ids": ids})
    return {r.archive_id: Status.RELAYED if r.relayed else Status.DELIVERED for r in rows}


async def _remember(connection: AsyncConnection, items: Sequence[_Settled]) -> None:
    """What the outcome says of the peer; its lane is free unless it was deferred."""
    taken = {
        item.row.peer
        for item in items
        if isinstance(item.outcome, Delivered) and not item.row.taking
    }
    if taken:
        await _TAKEN.run(connection, [{"aors": list(taken)}])
    for item in items:
        values = _lane_values(item)
        if values:
            lane = update(peer).where(peer.c.aor == item.row.peer)
            await connection.execute(lane.values(values))


def _lane_values(item: _Settled) -> dict[str, Any]:
    match item.outcome:
        case Deferred(due_at=due_at):
            heard_meanwhile = item.row.held_until is not None and item.row.held_until < due_at
            return {"held_until": None if heard_meanwhile else due_at}
        case Failed(response, remember=True):
            return {
                "held_until": None,
                "refuses": response.status_code,
                "refused_at": item.settlement.at,
            }
        case Failed() | Replaced():
            return {"held_until": None}
        case Delivered() | Expired():  # one that expired says nothing of the others' hold
            return {}
        case _:
            assert_never(item.outcome)
