"""The fingerprint of a table's rows, which does not depend on the kind of database."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import JSON, Select, Table, Uuid, collate, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.store.columns import SafeText, UtcDateTime
from gateway.store.rows import AnyRow


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Equal rows, in the order of their primary key, have the same."""

    rows: int
    sha256: str


class FingerprintReader:
    """Is shown the rows of a table in the order of ``in_key_order``."""

    def __init__(self, table: Table) -> None:
        self._hash = sha256()
        self.rows = 0
        self._written = [
            (place, _writer(column.type))
            for place, column in enumerate(table.columns)
            if isinstance(column.type, JSON | UtcDateTime | Uuid)
        ]

    def add(self, rows: Sequence[AnyRow]) -> None:
        self.rows += len(rows)
        for row in rows:
            values = list(row)
            for place, write in self._written:
                if values[place] is not None:
                    values[place] = write(values[place])
            self._hash.update(repr(values).encode())

    @property
    def fingerprint(self) -> Fingerprint:
        return Fingerprint(self.rows, self._hash.hexdigest())


def in_key_order(connection: AsyncConnection, table: Table) -> Select[*tuple[Any, ...]]:
    """All rows; text is ordered by its bytes, as only SQLite does by itself."""
    bytewise = connection.dialect.name == "postgresql"
    keys = (
        collate(column, "C") if bytewise and isinstance(column.type, SafeText) else column
        for column in table.primary_key
    )
    return select(table).order_by(*keys)


def _writer(kind: object) -> Callable[[Any], object]:
    """The repr of these would differ with the driver, or take long."""
    match kind:
        case UtcDateTime():
            return datetime.isoformat
        case Uuid():
            return str
        case _:
            return _sorted_json


def _sorted_json(value: object) -> str:
    return json.dumps(value, sort_keys=True)
