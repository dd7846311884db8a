"""The ends of commands that came in messages, committed with the answers to these."""

from collections.abc import Iterable

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.message import MessageId
from gateway.store.prepared import Prepared
from gateway.store.rows import Values
from gateway.store.tables import command

_SET_ONCE = {"number", "node"}
END = Prepared(
    update(command)
    .where(command.c.id == bindparam("entry_id"))
    .values({c.name: bindparam(c.name) for c in command.c if c.name not in _SET_ONCE})
)


class Endings:
    """Audit entries that are done, until they are committed.

    A transaction less for each command. When a crash comes before the answer, the entry is
    as it was begun: the command is not repeated, and its sender told to look.
    """

    def __init__(self) -> None:
        self._rows: dict[MessageId, Values] = {}

    def put(self, message_id: MessageId, row: Values) -> None:
        self._rows[message_id] = row

    async def store(
        self, connection: AsyncConnection, message_ids: Iterable[MessageId]
    ) -> None:
        """Those of these messages; part of the caller's transaction."""
        rows = [self._rows[item] for item in message_ids if item in self._rows]
        await END.run(connection, rows)

    def committed(self, message_id: MessageId) -> None:
        self._rows.pop(message_id, None)
