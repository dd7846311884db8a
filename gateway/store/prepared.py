"""Statements compiled once for the driver."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Dialect, Insert, IteratorResult, Select
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate, UpdateBase

from gateway.store.rows import AnyRow
from gateway.store.sqlite import Immediate

_Convert = Callable[[Any], Any]
_Query = Select[Any] | ReturningInsert[Any] | ReturningUpdate[Any]


class Prepared:
    """Runs a statement once for each row, whose values are as the columns' types take them.

    SQLAlchemy works out the parameters of every row anew, which takes ten times as long as
    the driver needs for the row.
    """

    def __init__(self, statement: UpdateBase) -> None:
        self._statement = statement
        self._compiled: dict[tuple[str, ...], _Compiled] = {}

    async def run(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> int:
        """All *rows* have the same names: of an INSERT, these are its columns.

        Returns how many rows of the table it stored or changed, on SQLite: asyncpg does not
        tell.
        """
        if not rows:
            return 0
        compiled = self._for(connection.dialect, rows[0])
        values = [compiled.values(row) for row in rows]
        if isinstance(connection, Immediate):
            return connection.run(compiled.text, values)
        return (await connection.exec_driver_sql(compiled.text, values)).rowcount

    def _for(self, dialect: Dialect, row: Collection[str]) -> "_Compiled":
        key = (dialect.name, *row)
        if key not in self._compiled:
            columns = None
            if isinstance(self._statement, Insert):
                columns = [name for name in row if name in self._statement.table.columns]
            self._compiled[key] = _compile(self._statement, dialect, columns)
        return self._compiled[key]


class PreparedQuery:
    """Asks for rows, whose values are as the columns' types give them.

    SQLite finds a row or two in a tenth of the time that SQLAlchemy takes to ask for them,
    and to make a result of what comes. PostgreSQL is asked by SQLAlchemy.
    """

    def __init__(self, query: _Query) -> None:
        self._query = query
        self._columns = SimpleResultMetaData([str(c.key) for c in query.exported_columns])
        self._on_sqlite: _CompiledQuery | None = None

    async def rows(
        self, connection: AsyncConnection, values: Mapping[str, Any]
    ) -> Sequence[AnyRow]:
        if not isinstance(connection, Immediate):
            return (await connection.execute(self._query, values)).all()
        if self._on_sqlite is None:
            self._on_sqlite = _compile_query(self._query, connection.dialect)
        statement = self._on_sqlite.statement
        found = connection.ask(statement.text, statement.values(values))
        return IteratorResult(self._columns, self._on_sqlite.converted(found)).all()


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    parameters: tuple[tuple[str, _Convert | None], ...]
    constants: Mapping[str, Any]
    """What the statement itself says, such as the state it looks for."""

    def values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        if self.constants:
            row = {**self.constants, **row}
        try:
            return tuple(
                [
                    row[name] if for_driver is None else for_driver(row[name])
                    for name, for_driver in self.parameters
                ]
            )
        except ValueError as exc:  # as what SQLAlchemy runs itself says it
            raise StatementError(str(exc), self.text, None, exc, hide_parameters=True) from exc


@dataclass(frozen=True, slots=True)
class _CompiledQuery:
    statement: _Compiled
    from_driver: tuple[tuple[int, _Convert], ...]
    """By the places of the columns that need it."""

    def converted(self, found: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        for row in found:
            columns = list(row)
            for place, convert in self.from_driver:
                columns[place] = convert(columns[place])
            yield tuple(columns)


def _compile_query(query: _Query, dialect: Dialect) -> _CompiledQuery:
    types = [column.type.dialect_impl(dialect) for column in query.exported_columns]
    from_driver = [kind.result_processor(dialect, None) for kind in types]
    return _CompiledQuery(
        _compile(query, dialect),
        tuple((place, convert) for place, convert in enumerate(from_driver) if convert),
    )


def _compile(
    statement: UpdateBase | _Query, dialect: Dialect, columns: Sequence[str] | None = None
) -> _Compiled:
    compiled = statement.compile(dialect=dialect, column_keys=columns, for_executemany=True)
    assert isinstance(compiled, SQLCompiler)
    assert compiled.positiontup is not None, "both drivers take parameters by position"
    return _Compiled(
        text=compiled.string,
        parameters=tuple(
            (name, _for_driver(compiled.binds[name], dialect)) for name in compiled.positiontup
        ),
        constants={n: b.value for n, b in compiled.binds.items() if not b.required},
    )


def _for_driver(parameter: BindParameter[Any], dialect: Dialect) -> _Convert | None:
    return parameter.type.dialect_impl(dialect).bind_processor(dialect)
