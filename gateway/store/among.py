"""``IN`` a list of any length, given as one parameter."""

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, ColumnElement, Dialect, Text, bindparam
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


def among(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Whether *column* is one of those that the parameter *name* lists.

    With a parameter for each item the statement is another text for each number of items,
    to be worked out anew: that takes longer than to run it.
    """
    listed = _Listed(bindparam(name, type_=_Items(column.type)))
    return column.op("IN", is_comparison=True)(listed)


class _Listed(FunctionElement[Any]):
    name = "listed"
    inherit_cache = True


@compiles(_Listed, "sqlite")
def _on_sqlite(element: _Listed, compiler: SQLCompiler, **keywords: Any) -> str:
    items = compiler.process(element.clause_expr, **keywords)
    return f"(SELECT value FROM json_each{items})"  # noqa: S608  a parameter's mark


@compiles(_Listed, "postgresql")
def _on_postgresql(element: _Listed, compiler: SQLCompiler, **keywords: Any) -> str:
    items = compiler.process(element.clause_expr, **keywords)
    return f"(SELECT unnest{items})"


class _Items(TypeDecorator[Any]):
    """A list of values of one type: an array, or in SQLite the text of a JSON array."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return Text() if dialect.name == "sqlite" else postgresql.ARRAY(self.item, dimensions=1)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        for_driver = self.item.dialect_impl(dialect).bind_processor(dialect)
        given = json.dumps if dialect.name == "sqlite" else list

        def items(values: Any) -> Any:
            return given([for_driver(item) for item in values] if for_driver else list(values))

        return items
