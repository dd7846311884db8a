"""Statements for many rows, compiled once for the driver."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Dialect, Insert
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase

_ForDriver = Callable[[Any], Any]


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
        try:
            values = [compiled.values(row) for row in rows]
        except ValueError as exc:  # as what SQLAlchemy runs itself says it
            raise StatementError(
                str(exc), compiled.text, None, exc, hide_parameters=True
            ) from exc
        result = await connection.exec_driver_sql(compiled.text, values)
        return result.rowcount

    def _for(self, dialect: Dialect, row: Collection[str]) -> "_Compiled":
        key = (dialect.name, *row)
        if key not in self._compiled:
            self._compiled[key] = _compile(self._statement, dialect, row)
        return self._compiled[key]


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    parameters: tuple[tuple[str, _ForDriver | None], ...]
    constants: Mapping[str, Any]
    """What the statement itself says, such as the state it looks for."""

    def values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        if self.constants:
            row = {**self.constants, **row}
        return tuple(
            [
                row[name] if for_driver is None else for_driver(row[name])
                for name, for_driver in self.parameters
            ]
        )


def _compile(statement: UpdateBase, dialect: Dialect, row: Collection[str]) -> _Compiled:
    columns = None
    if isinstance(statement, Insert):
        columns = [name for name in row if name in statement.table.columns]
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


def _for_driver(parameter: BindParameter[Any], dialect: Dialect) -> _ForDriver | None:
    return parameter.type.dialect_impl(dialect).bind_processor(dialect)
