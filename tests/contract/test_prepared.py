"""Prepared statements do with their rows what SQLAlchemy's own execution does."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import ConflictError
from gateway.store.database import Database, StatementRefused
from gateway.store.prepared import Prepared, PreparedQuery
from gateway.store.tables import peer
from tests.fakes import NOON

INSERT = Prepared(insert(peer))
BY_CODE = PreparedQuery(
    select(peer.c.aor, peer.c.known, peer.c.due_at, (peer.c.refuses + 1).label("more"))
    .where(peer.c.refuses == bindparam("code"))
    .order_by(peer.c.aor)
)


async def run(
    database: Database, statement: Prepared, rows: Sequence[Mapping[str, Any]]
) -> None:
    async def work(connection: AsyncConnection) -> None:
        await statement.run(connection, rows)

    await database.write(work)


async def ask(
    database: Database, query: PreparedQuery, values: Mapping[str, Any]
) -> Sequence[Any]:
    async def work(connection: AsyncConnection) -> Sequence[Any]:
        return await query.rows(connection, values)

    return await database.write(work)


async def lanes(database: Database) -> list[tuple[Any, ...]]:
    query = select(peer.c.aor, peer.c.refuses, peer.c.due_at).order_by(peer.c.aor)

    async def work(connection: AsyncConnection) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await connection.execute(query)]

    return await database.read(work)


async def test_each_value_is_stored_as_its_column_stores_it(database: Database) -> None:
    await run(
        database,
        INSERT,
        [
            {"aor": "sip:a@office.example\0", "refuses": 0, "due_at": NOON},
            {"aor": "sip:b@office.example", "refuses": 415, "due_at": None},
        ],
    )

    assert await lanes(database) == [
        ("sip:a@office.example\N{SYMBOL FOR NULL}", 0, NOON),
        ("sip:b@office.example", 415, None),
    ]


async def test_what_the_statement_itself_says_holds_for_each_row(database: Database) -> None:
    rows = [{"aor": aor, "refuses": code} for aor, code in (("a", 0), ("b", 415), ("c", 0))]
    await run(database, INSERT, rows)
    forgive = Prepared(
        update(peer)
        .where(peer.c.aor == bindparam("who"), peer.c.refuses == 415)
        .values(refuses=bindparam("now"))
    )

    await run(database, forgive, [{"who": aor, "now": 1} for aor in "abc"])

    assert await lanes(database) == [("a", 0, None), ("b", 1, None), ("c", 0, None)]


async def test_no_rows_are_no_statement(database: Database) -> None:
    await run(database, INSERT, [])

    assert await lanes(database) == []


async def test_a_value_that_no_column_takes_is_a_refused_statement(database: Database) -> None:
    row = {"aor": "sip:a@office.example", "refuses": 0, "due_at": NOON.replace(tzinfo=None)}

    with pytest.raises(StatementRefused, match="without zone"):
        await run(database, INSERT, [row])


async def test_a_row_that_is_there_already_is_a_conflict(database: Database) -> None:
    row = {"aor": "sip:a@office.example", "refuses": 0}
    await run(database, INSERT, [row])

    with pytest.raises(ConflictError):
        await run(database, INSERT, [row])


async def test_a_query_gives_each_value_as_its_column_gives_it(database: Database) -> None:
    rows = [
        {"aor": "b", "refuses": 415, "known": True, "due_at": NOON},
        {"aor": "a", "refuses": 415, "known": False, "due_at": None},
        {"aor": "c", "refuses": 0, "known": True, "due_at": NOON},
    ]
    await run(database, INSERT, rows)

    found = await ask(database, BY_CODE, {"code": 415})

    assert [tuple(row) for row in found] == [("a", False, None, 416), ("b", True, NOON, 416)]
    assert [row.more for row in found] == [416, 416]


async def test_a_query_that_finds_nothing_gives_no_rows(database: Database) -> None:
    found = await ask(database, BY_CODE, {"code": 415})

    assert list(found) == []


async def test_a_query_tells_which_rows_it_changed(database: Database) -> None:
    await run(database, INSERT, [{"aor": "a", "refuses": 415}, {"aor": "b", "refuses": 0}])
    forgive = PreparedQuery(
        update(peer)
        .where(peer.c.refuses == bindparam("code"))
        .values(refuses=0)
        .returning(peer.c.aor)
    )

    found = await ask(database, forgive, {"code": 415})

    assert [row.aor for row in found] == ["a"]
    assert await lanes(database) == [("a", 0, None), ("b", 0, None)]


async def test_a_query_for_what_no_column_holds_is_refused(database: Database) -> None:
    query = PreparedQuery(select(peer.c.aor).where(peer.c.due_at == bindparam("at")))

    with pytest.raises(StatementRefused, match="without zone"):
        await ask(database, query, {"at": NOON.replace(tzinfo=None)})
