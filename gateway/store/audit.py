"""The audit of commands."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.caller import Origin
from gateway.errors import StorageUnavailable
from gateway.message import MessageId
from gateway.metrics import Metrics
from gateway.phone import (
    DIALLING,
    CommandEntry,
    CommandOutcome,
    CommandState,
    Problem,
    Verb,
)
from gateway.store.among import among
from gateway.store.database import Database
from gateway.store.endings import END, Endings
from gateway.store.prepared import PreparedQuery
from gateway.store.rows import AnyRow, Values
from gateway.store.tables import command

_NEVER_HANDED_OVER = (
    Problem.INVALID,
    Problem.NOT_ALLOWED,
    Problem.NO_CALL,
    Problem.NOT_RUNNING,
)
# Built once: to build a statement takes longer than to run it, and a command waits for both.
_ENTRY: Values = {c.name: bindparam(c.name) for c in command.c if c.name != "number"}
_INSERT = {
    name: PreparedQuery(
        insert(command).values(_ENTRY).on_conflict_do_nothing().returning(command.c.number)
    )
    for name, insert in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}
_DIALLED = select(func.count().label("dialled")).where(
    command.c.at >= bindparam("since"),
    among(command.c.verb, "verbs"),
    or_(command.c.outcome.is_(None), command.c.outcome != CommandOutcome.REFUSED.value),
    ~among(command.c.problem, "never_handed_over"),
)
_OWN_NODE = bindparam("own_node", type_=command.c.node.type)
_DIALLED_HERE = PreparedQuery(
    _DIALLED.where(func.coalesce(command.c.node, _OWN_NODE) == _OWN_NODE)
)
_DIALLED_BY = PreparedQuery(_DIALLED.where(command.c.who == bindparam("caller")))


class SqlCommandLog:
    """CommandLog on SQL."""

    def __init__(
        self, *, database: Database, metrics: Metrics, endings: Endings | None = None
    ) -> None:
        """*endings* are those that the message store commits; None: nobody answers messages."""
        self._database = database
        self._metrics = metrics
        self._endings = endings
        # May be committed, but begin raised: the caller that comes again has not run it.
        self._unacknowledged: dict[MessageId | None, frozenset[str]] = {}

    async def begin(self, entry: CommandEntry) -> CommandEntry | None:
        own = self._unacknowledged.pop(entry.message_id, frozenset()) | {entry.id}

        async def work(connection: AsyncConnection) -> CommandEntry | None:
            earlier = await _insert(connection, entry, self._database.node)
            if earlier is None or earlier.id not in own:
                return earlier
            await END.run(connection, [{**_values(entry), "entry_id": earlier.id}])
            return None

        try:
            return await self._database.write(work)
        except StorageUnavailable:
            if entry.message_id is not None:
                self._unacknowledged[entry.message_id] = own
            raise

    async def finish(self, entry: CommandEntry) -> None:
        row = {**_values(entry), "entry_id": entry.id}

        async def work(connection: AsyncConnection) -> None:
            await END.run(connection, [row])

        if self._endings and entry.message_id is not None and entry.origin == Origin.SIP:
            self._endings.put(entry.message_id, row)
        else:
            await self._database.write(work)
        self._count(entry)

    async def record(self, entry: CommandEntry) -> None:
        """Once for a message: it is answered again after a crash, and recorded already."""

        async def work(connection: AsyncConnection) -> None:
            insert = _INSERT[connection.dialect.name]
            await insert.rows(connection, _new(entry, self._database.node))

        await self._database.write(work)
        self._count(entry)

    def _count(self, entry: CommandEntry) -> None:
        verb = entry.verb if Verb.named(entry.verb) else "other"
        self._metrics.commands.labels(verb, entry.outcome or "").inc()

    async def commands(
        self, limit: int, *, before: str | None = None
    ) -> Sequence[CommandEntry]:
        query = select(command).order_by(command.c.number.desc()).limit(limit)
        if before is not None:
            last = select(command.c.number).where(command.c.id == before).scalar_subquery()
            query = query.where(command.c.number < last)

        async def work(connection: AsyncConnection) -> Sequence[CommandEntry]:
            return [_entry(row) for row in await connection.execute(query)]

        return await self._database.read(work)

    async def dialled_since(self, since: datetime, *, who: str | None = None) -> int:
        """One that is started, or that ended in doubt, counts: it may have dialled."""
        query = _DIALLED_HERE if who is None else _DIALLED_BY
        given = {
            "since": since,
            "verbs": [verb.value for verb in DIALLING],
            "never_handed_over": [problem.value for problem in _NEVER_HANDED_OVER],
            "own_node": self._database.node,
            "caller": who,
        }

        async def work(connection: AsyncConnection) -> int:
            (row,) = await query.rows(connection, given)
            dialled: int = row.dialled
            return dialled

        return await self._database.read(work)


async def _insert(
    connection: AsyncConnection, entry: CommandEntry, node: str
) -> CommandEntry | None:
    """The one that was there before, if any."""
    added = await _INSERT[connection.dialect.name].rows(connection, _new(entry, node))
    if added:
        return None
    query = select(command).where(
        or_(command.c.message_id == entry.message_id, command.c.id == entry.id)
    )
    return _entry((await connection.execute(query.limit(1))).one())


def _new(entry: CommandEntry, node: str) -> Values:
    return {**_values(entry), "node": node}


def _values(entry: CommandEntry) -> Values:
    return {
        "id": entry.id,
        "at": entry.at,
        "who": entry.who,
        "proof": entry.proof,
        "origin": entry.origin,
        "text": entry.text,
        "verb": entry.verb,
        "argument": entry.argument,
        "message_id": entry.message_id,
        "channel": entry.channel,
        "state": entry.state.value,
        "outcome": entry.outcome and entry.outcome.value,
        "problem": entry.problem.value,
        "evidence": entry.evidence,
        "detail": entry.detail,
        "elapsed_ms": entry.elapsed_ms,
    }


def _entry(row: AnyRow) -> CommandEntry:
    return CommandEntry(
        id=row.id,
        at=row.at,
        who=row.who,
        proof=row.proof,
        origin=row.origin,
        text=row.text,
        verb=row.verb,
        argument=row.argument,
        message_id=None if row.message_id is None else MessageId(row.message_id),
        channel=row.channel,
        state=CommandState(row.state),
        outcome=None if row.outcome is None else CommandOutcome(row.outcome),
        problem=Problem(row.problem),
        evidence=row.evidence,
        detail=row.detail,
        elapsed_ms=row.elapsed_ms,
        node=row.node or "",
    )
