"""Adds many rows to a table, by the fastest way its database has."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.rows import AnyRow


async def add(connection: AsyncConnection, table: Table, rows: Sequence[AnyRow]) -> None:
    """*rows* have every column, in the table's order."""
    if connection.dialect.name == "postgresql":
        await _copy_in(connection, table, rows)
    else:
        await connection.execute(table.insert(), [row._asdict() for row in rows])


async def _copy_in(connection: AsyncConnection, table: Table, rows: Sequence[AnyRow]) -> None:
    """COPY, which SQLAlchemy has not: the driver's own, in the transaction that has begun."""
    dialect = connection.dialect
    kinds = [column.type.dialect_impl(dialect) for column in table.columns]
    bound = [
        (place, bind)
        for place, kind in enumerate(kinds)
        if (bind := kind.bind_processor(dialect)) is not None
    ]
    records = []
    for row in rows:
        values = list(row)
        for place, bind in bound:
            values[place] = bind(values[place])
        records.append(values)
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    names = [column.name for column in table.columns]
    await driver.copy_records_to_table(table.name, records=records, columns=names)
