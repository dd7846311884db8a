"""Leasing: which deliveries may be attempted now."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.message import Delivery, DeliveryId, Status
from gateway.retry import SILENT_AFTER
from gateway.store import lanes
from gateway.store.among import among
from gateway.store.prepared import Prepared, PreparedQuery
from gateway.store.rows import AnyRow, to_delivery
from gateway.store.tables import IS_OPEN, delivery, message, peer

_LEASING = 0x53495047  # key of the lock under which nodes count what is in flight

_LONG_DUE = timedelta(minutes=10)
"""A lane that is due for so long waits for a node that is away, or an account that is gone."""

_AT = bindparam("at", type_=peer.c.due_at.type)


def _head(*which: ColumnElement[bool]) -> Any:
    """Number of the delivery whose turn it is.

    The one whose lease ran out, lest it be overtaken; else one that expired, to be given
    up; else the first in order that is due. One with a later send_at holds nobody back.
    """
    mine = select(delivery.c.number).where(IS_OPEN, *which)
    again = mine.where(delivery.c.number == peer.c.leased)
    mine = mine.where(delivery.c.peer == peer.c.aor)
    expired = mine.where(delivery.c.expires_at <= _AT).order_by(delivery.c.expires_at)
    first = mine.where(
        delivery.c.due_at <= _AT, or_(peer.c.held_until.is_(null()), peer.c.held_until <= _AT)
    ).order_by(delivery.c.archive_id, delivery.c.place)
    return func.coalesce(*(_number(query) for query in (again, expired, first)))


def _number(query: Any) -> ScalarSelect[Any]:
    number: ScalarSelect[Any] = query.limit(1).correlate(peer).scalar_subquery()
    return number


def _lanes(head: Any, *which: ColumnElement[bool]) -> Select[Any]:
    return (
        select(peer.c.aor, head.label("head"))
        .where(
            or_(peer.c.lease_until.is_(null()), peer.c.lease_until <= _AT),
            ~among(peer.c.destination, "full"),
            ~among(peer.c.aor, "seen"),
            *which,
        )
        .order_by(peer.c.due_at)
        .limit(bindparam("limit", type_=Integer))
        .with_for_update(of=peer, skip_locked=True)
    )


# Built once: to build a statement takes longer than to run it.
_ALL_DUE_LANES = _lanes(_head(), peer.c.due_at <= _AT)
_DUE_LANES = PreparedQuery(_ALL_DUE_LANES)
_OWN_DUE_LANES = PreparedQuery(_ALL_DUE_LANES.where(among(peer.c.account, "accounts")))
_OWN_HEAD = _head(among(delivery.c.account, "accounts"))
_HELD_UP_LANES = PreparedQuery(
    _lanes(
        _OWN_HEAD,
        peer.c.due_at <= bindparam("long_ago", type_=peer.c.due_at.type),
        ~among(peer.c.account, "accounts"),
        _OWN_HEAD.is_not(null()),
    )
)
_IN_FLIGHT = PreparedQuery(
    select(delivery.c.destination, func.count().label("leased"))
    .join(peer, peer.c.leased == delivery.c.number)
    .where(peer.c.lease_until > bindparam("silent_until"))
    .group_by(delivery.c.destination)
)
_HEADS = PreparedQuery(
    select(
        delivery,
        message.c.id.label("message_id"),
        peer.c.known,
        peer.c.refuses,
        peer.c.refused_at,
        peer.c.leased,
    )
    .join(message, message.c.archive_id == delivery.c.archive_id)
    .join(peer, peer.c.aor == delivery.c.peer)
    .where(
        among(delivery.c.number, "numbers"),
        # Its lane was not locked yet when it was found.
        IS_OPEN,
    )
)
_LEASE = Prepared(
    update(peer)
    .where(among(delivery.c.number, "numbers"), peer.c.aor == delivery.c.peer)
    .values(
        lease_until=bindparam("until"),
        leased=delivery.c.number,
        leased_by=bindparam("by_node"),
        destination=delivery.c.destination,
        account=delivery.c.account,
        # One that ends during the attempt says something; one that ended before does not.
        held_until=case((peer.c.held_until > _AT, peer.c.held_until)),
    )
)
_HAND_ON = Prepared(
    update(peer).where(peer.c.aor == bindparam("lane")).values(account=bindparam("by"))
)
_SENDING = Prepared(
    update(message)
    .where(among(message.c.archive_id, "ids"))
    .values(status=Status.SENDING.value)
)
_FREE = Prepared(
    update(peer)
    .where(
        among(peer.c.aor, "aors"),
        among(peer.c.leased, "numbers"),
        peer.c.leased_by == bindparam("node"),
    )
    .values(lease_until=null(), leased=null(), leased_by=null())
)


def _next(waiting: ColumnElement[bool]) -> Select[Any]:
    """When the first lane without a lease is due, and when the first lease ends."""
    free = or_(peer.c.lease_until.is_(null()), peer.c.lease_until <= _AT)
    first_due = select(peer.c.due_at).where(waiting, free).order_by(peer.c.due_at)
    leased = select(peer.c.lease_until).where(waiting, peer.c.lease_until > _AT)
    first_end = leased.order_by(peer.c.lease_until)
    return select(*(query.limit(1).scalar_subquery() for query in (first_due, first_end)))


_WAITING = peer.c.due_at.is_not(null())
_NEXT = PreparedQuery(_next(_WAITING))
_NEXT_OF = PreparedQuery(_next(and_(_WAITING, among(peer.c.account, "accounts"))))


@dataclass(frozen=True, slots=True)
class Terms:
    """How much may be leased, and for how long."""

    now: datetime
    lease: timedelta
    limit: int
    per_destination: int
    node: str
    """Who makes the attempts."""
    accounts: Collection[str] | None = None
    """Those that this node has; None: any."""

    def allow(self, account: str) -> bool:
        return self.accounts is None or account in self.accounts


async def lease_due(connection: AsyncConnection, terms: Terms) -> tuple[list[Delivery], bool]:
    """What was leased, and whether another node has to look at what is its to send."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(_LEASING)))
    in_flight = await _in_flight(connection, terms)
    chosen: list[AnyRow] = []
    seen: set[str] = set()
    for_others = False
    while len(chosen) < terms.limit:
        full = [name for name, count in in_flight.items() if count >= terms.per_destination]
        due = await _due_lanes(connection, terms, full, seen)
        seen.update(lane.aor for lane in due)
        await lanes.refresh(connection, [lane.aor for lane in due if lane.head is None])
        heads = await _heads(connection, due)
        others = [head for head in heads if not terms.allow(head.account)]
        await _hand_on(connection, others)
        for_others = for_others or bool(others)
        chosen += _with_room([h for h in heads if terms.allow(h.account)], in_flight, terms)
        if len(due) < terms.limit:
            break
    if len(chosen) < terms.limit:
        held_up = await _held_up(connection, terms, seen, terms.limit - len(chosen))
        chosen += _with_room(held_up, in_flight, terms)
    await _mark(connection, chosen, terms)
    return [to_delivery(head, terms.now) for head in chosen], for_others


async def _in_flight(connection: AsyncConnection, terms: Terms) -> Counter[str]:
    silent_until = terms.now - SILENT_AFTER + terms.lease
    rows = await _IN_FLIGHT.rows(connection, {"silent_until": silent_until})
    return Counter({row.destination: row.leased for row in rows})


async def _due_lanes(
    connection: AsyncConnection, terms: Terms, full: Sequence[str], seen: set[str]
) -> Sequence[AnyRow]:
    """Lanes with the number of their head; none twice, so that the search ends."""
    given: dict[str, Any] = {
        "at": terms.now,
        "limit": terms.limit,
        "full": full,
        "seen": list(seen),
    }
    query = _DUE_LANES
    if terms.accounts is not None:
        query = _OWN_DUE_LANES
        given["accounts"] = list(terms.accounts)
    return await query.rows(connection, given)


def _with_room(
    heads: Sequence[AnyRow], in_flight: Counter[str], terms: Terms
) -> Iterator[AnyRow]:
    """Those that their destination takes beside what it has; they are counted."""
    for head in heads:
        if in_flight[head.destination] < terms.per_destination:
            in_flight[head.destination] += 1
            yield head


async def _held_up(
    connection: AsyncConnection, terms: Terms, seen: Collection[str], limit: int
) -> Sequence[AnyRow]:
    """What is first by this node's accounts where others have kept it waiting for long.

    Else a node that does not come back, or an account that was renamed, would keep all
    others from writing to its peers.
    """
    if terms.accounts is None:
        return []
    given: dict[str, Any] = {
        "at": terms.now,
        "long_ago": terms.now - _LONG_DUE,
        "limit": limit,
        "full": [],
        "seen": list(seen),
        "accounts": list(terms.accounts),
    }
    due = await _HELD_UP_LANES.rows(connection, given)
    return await _heads(connection, due)


async def _heads(connection: AsyncConnection, due: Sequence[AnyRow]) -> list[AnyRow]:
    """The lanes' deliveries, in the order of *due*."""
    rows = await _HEADS.rows(connection, {"numbers": [lane.head for lane in due]})
    heads = {row.peer: row for row in rows}
    return [heads[lane.aor] for lane in due if lane.aor in heads]


async def _hand_on(connection: AsyncConnection, heads: Sequence[AnyRow]) -> None:
    """What is first in these lanes is another node's to send, since its time came."""
    await _HAND_ON.run(connection, [{"lane": h.peer, "by": h.account} for h in heads])


async def _mark(connection: AsyncConnection, heads: Sequence[AnyRow], terms: Terms) -> None:
    if not heads:
        return
    await _LEASE.run(
        connection,
        [
            {
                "numbers": [head.number for head in heads],
                "by_node": terms.node,
                "at": terms.now,
                "until": terms.now + terms.lease,
            }
        ],
    )
    await _SENDING.run(connection, [{"ids": [head.archive_id for head in heads]}])
    again = [head.leased for head in heads if head.leased is not None]
    if again:  # an attempt may have been made under the lease that ran out
        attempted = select(delivery.c.archive_id).where(delivery.c.number.in_(again), IS_OPEN)
        resent = update(message).where(message.c.archive_id.in_(attempted))
        await connection.execute(resent.values(resent=True))


async def release(connection: AsyncConnection, ids: Sequence[DeliveryId], node: str) -> None:
    """Hand back leases whose attempt was not made."""
    query = select(delivery.c.number, delivery.c.peer, delivery.c.archive_id)
    rows = (await connection.execute(query.where(delivery.c.id.in_(ids)))).all()
    aors = [row.peer for row in rows]
    await lanes.lock(connection, (), known=aors)
    await free(connection, rows, node)
    await connection.execute(
        update(message)
        .where(
            message.c.archive_id.in_([row.archive_id for row in rows]),
            message.c.status == Status.SENDING.value,
        )
        .values(
            status=case(
                (message.c.attempts == 0, Status.QUEUED.value), else_=Status.RETRYING.value
            )
        )
    )
    await lanes.refresh(connection, aors)


async def free(connection: AsyncConnection, rows: Sequence[AnyRow], node: str) -> None:
    """End the leases of these deliveries, unless another node has them by now."""
    numbers, aors = [row.number for row in rows], [row.peer for row in rows]
    await _FREE.run(connection, [{"aors": aors, "numbers": numbers, "node": node}])


async def next_due(
    connection: AsyncConnection, now: datetime, accounts: Collection[str] | None
) -> datetime | None:
    query = _NEXT
    values: dict[str, Any] = {"at": now}
    if accounts is not None:
        query = _NEXT_OF
        values["accounts"] = list(accounts)
    (times,) = await query.rows(connection, values)
    return min((time for time in times if time is not None), default=None)
