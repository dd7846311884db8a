"""The lanes of the queue: a row of peer says when that peer's deliveries are due."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    SQLColumnExpression,
    bindparam,
    case,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.among import among
from gateway.store.prepared import Prepared, PreparedQuery
from gateway.store.tables import IS_OPEN, delivery, peer


def _first_open(column: ColumnElement[Any]) -> ScalarSelect[Any]:
    return (
        select(func.min(column))
        .where(delivery.c.peer == peer.c.aor, IS_OPEN)
        .correlate(peer)
        .scalar_subquery()
    )


_DUE = _first_open(delivery.c.due_at)
_EXPIRES = _first_open(delivery.c.expires_at)
_FREE = case((peer.c.held_until > _DUE, peer.c.held_until), else_=_DUE)
_LANE_DUE: SQLColumnExpression[Any] = case((_EXPIRES < _FREE, _EXPIRES), else_=_FREE)
"""A held lane is due early for a delivery that expires: its sender waits to hear of it."""
_DESTINATION = (
    select(delivery.c.destination)
    .where(delivery.c.peer == peer.c.aor, IS_OPEN)
    .order_by(delivery.c.archive_id, delivery.c.place)
    .limit(1)
    .correlate(peer)
    .scalar_subquery()
)


def _account_at(due: SQLColumnExpression[Any]) -> ScalarSelect[Any]:
    """By which the delivery leaves whose turn it is at *due*: one due later is not first."""
    return (
        select(delivery.c.account)
        .where(
            delivery.c.peer == peer.c.aor,
            IS_OPEN,
            delivery.c.due_at <= due,
        )
        .order_by(delivery.c.archive_id, delivery.c.place)
        .limit(1)
        .correlate(peer)
        .scalar_subquery()
    )


_DUE_NOW = {"due_at": _DUE, "account": _account_at(_DUE)}

_OVER = datetime(1970, 1, 1, tzinfo=UTC)
"""A hold that has ended. Set during an attempt: its peer, or its registrar, was heard of.

So an attempt that got no answer meanwhile does not hold the lane again.
"""
_END_OF_HOLD = case((peer.c.leased.is_not(null()), bindparam("over", _OVER)), else_=null())

_REFRESH = Prepared(
    update(peer)
    .where(among(peer.c.aor, "aors"))
    .values(due_at=_LANE_DUE, destination=_DESTINATION, account=_account_at(_LANE_DUE))
)
_ADD = {
    "sqlite": Prepared(sqlite.insert(peer).on_conflict_do_nothing()),
    "postgresql": Prepared(postgresql.insert(peer).on_conflict_do_nothing()),
}
_LOCK = (
    select(peer.c.aor).where(among(peer.c.aor, "aors")).order_by(peer.c.aor).with_for_update()
)

# Built once: to build it takes longer than to run it, and every batch that comes in does.
_NOTHING_NEW = PreparedQuery(
    select(peer.c.aor).where(
        among(peer.c.aor, "aors"),
        peer.c.known,
        peer.c.refuses == 0,
        peer.c.held_until.is_(null()),
        peer.c.leased.is_(null()),
    )
)


async def lock(
    connection: AsyncConnection, aors: Iterable[str], *, known: Iterable[str] = ()
) -> None:
    """Take these lanes, which need not be there yet, until the transaction ends.

    *known* are taken as well, and are there. All are taken at once, and in one order, so
    that two nodes never wait for each other.
    """
    named = set(aors)
    rows = [{"aor": aor} for aor in sorted(named)]
    await _ADD[connection.dialect.name].run(connection, rows)
    if connection.dialect.name == "sqlite":
        return  # it has one writer
    named.update(known)
    if named:
        await connection.execute(_LOCK, {"aors": list(named)})


async def refresh(connection: AsyncConnection, aors: Iterable[str]) -> None:
    """Work out anew when these lanes, which are locked, are due."""
    names = set(aors)
    if not names:
        return
    await _REFRESH.run(connection, [{"aors": list(names)}])


async def welcome(connection: AsyncConnection, aors: Iterable[str]) -> bool:
    """These peers were heard of: they are there, and may take messages now.

    Whether that may have made something due.
    """
    heard = set(aors)
    if not heard:
        return False
    nothing_new = await _NOTHING_NEW.rows(connection, {"aors": list(heard)})
    heard -= {row.aor for row in nothing_new}
    if not heard:
        return False
    await lock(connection, heard)
    await connection.execute(
        update(peer)
        .where(peer.c.aor.in_(heard))
        .values(known=True, refuses=0, refused_at=null(), held_until=_END_OF_HOLD, **_DUE_NOW)
    )
    return True


async def wake(connection: AsyncConnection, account: str, now: datetime) -> None:
    """End the waiting of every lane with a delivery by *account*."""
    of_account = (
        select(delivery.c.number)
        .where(
            delivery.c.peer == peer.c.aor,
            IS_OPEN,
            delivery.c.account == account,
        )
        .correlate(peer)
        .exists()
    )
    waiting = (
        select(peer.c.aor)
        .where(or_(peer.c.held_until > now, peer.c.leased.is_not(null())), of_account)
        .order_by(peer.c.aor)
        .with_for_update()  # as lock() does, for any number of lanes
        .correlate(None)
    )
    await connection.execute(
        update(peer).where(peer.c.aor.in_(waiting)).values(held_until=_END_OF_HOLD, **_DUE_NOW)
    )
