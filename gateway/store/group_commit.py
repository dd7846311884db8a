"""Group commit: the calls of many callers in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.errors import ConflictError
from gateway.store.database import Database, StatementRefused

Item = TypeVar("Item")
Result = TypeVar("Result")

_LIMIT = 200


@dataclass(frozen=True, slots=True, eq=False)
class _Call(Generic[Item, Result]):
    item: Item
    done: asyncio.Future[Result]


class GroupCommit(Generic[Item, Result]):
    """Does the work of calls that come together, or during a commit, in one transaction.

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
        self._run_unit = database.read if only_reads else database.write
        self._work = work
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
            batch = [call for call in self._waiting[:_LIMIT] if not call.done.cancelled()]
            del self._waiting[:_LIMIT]
            await self._commit(batch)
        self._committing = None

    async def _commit(self, batch: Sequence[_Call[Item, Result]]) -> None:
        if not batch:
            return
        unit = asyncio.create_task(self._transaction([call.item for call in batch]))
        await asyncio.wait([unit])
        error = unit.exception()
        if isinstance(error, ConflictError | StatementRefused) and len(batch) > 1:
            for call in batch:
                await self._commit([call])
            return
        for index, call in enumerate(batch):
            if call.done.cancelled():
                continue
            if error is not None:
                call.done.set_exception(error)
            else:
                call.done.set_result(unit.result()[index])

    async def _transaction(self, items: Sequence[Item]) -> Sequence[Result]:
        async def work(connection: AsyncConnection) -> Sequence[Result]:
            return await self._work(connection, items)

        return await self._run_unit(work)
