"""Group commit: the calls of many callers in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import ConflictError
from gateway.store.database import Database, StatementRefused
from gateway.store.work import Work

Item = TypeVar("Item")
Result = TypeVar("Result")

_LIMIT = 200


@dataclass(frozen=True, slots=True, eq=False)
class _Call(Generic[Item, Result]):
    item: Item
    done: asyncio.Future[Result]


class GroupCommit(Generic[Item, Result]):
    """Does the work of calls that come together, or before their turn, in one transaction.

    *work* gets the items in the order of the calls, and returns a result for each. When it
    fails because of what is in an item, each is done in a transaction of its own, so that
    a call fails for its own item only.
    """

    def __init__(
        self,
        *,
        database: Database,
        work: Callable[[AsyncConnection, Sequence[Item]], Awaitable[Sequence[Result]]],
        only_reads: bool = False,
    ) -> None:
        self._database = database
        self._work = work
        self._only_reads = only_reads
        self._waiting: list[_Call[Item, Result]] = []
        self._committing: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """Returns after the commit. Cancelled before its batch began, it does nothing."""
        call: _Call[Item, Result] = _Call(item, asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        if self._committing is None:
            self._committing = asyncio.create_task(self._run(), name="group commit")
        return await call.done

    async def _run(self) -> None:
        while self._waiting:
            batch: list[_Call[Item, Result]] = []
            await self._commit(batch, partial(self._begin, batch))
        self._committing = None

    def _begin(self, batch: list[_Call[Item, Result]]) -> Work[Sequence[Result]]:
        """Those that wait when the transaction begins, and not when it queues for that."""
        batch += [call for call in self._waiting[:_LIMIT] if not call.done.cancelled()]
        del self._waiting[:_LIMIT]
        return self._unit(batch)

    def _unit(self, batch: Sequence[_Call[Item, Result]]) -> Work[Sequence[Result]]:
        items = [call.item for call in batch]

        async def work(connection: AsyncConnection) -> Sequence[Result]:
            return await self._work(connection, items) if items else ()

        return work

    async def _commit(
        self,
        batch: Sequence[_Call[Item, Result]],
        begin: Callable[[], Work[Sequence[Result]]],
    ) -> None:
        """*batch* is complete once *begin* was called."""
        unit = asyncio.create_task(self._transaction(begin))
        await asyncio.wait([unit])
        error = unit.exception()
        if isinstance(error, ConflictError | StatementRefused) and len(batch) > 1:
            for call in batch:
                await self._commit([call], partial(self._unit, [call]))
            return
        for index, call in enumerate(batch):
            if call.done.cancelled():
                continue
            if error is not None:
                call.done.set_exception(error)
            else:
                call.done.set_result(unit.result()[index])

    async def _transaction(
        self, begin: Callable[[], Work[Sequence[Result]]]
    ) -> Sequence[Result]:
        if self._only_reads:
            return await self._database.read(begin())
        return await self._database.write_in_turn(begin)
