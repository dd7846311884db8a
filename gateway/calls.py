"""Calls: events of MicroSIP's hooks, beside its own records, become the log of calls."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from gateway.call import HOOK, Call, CallEvent, CallEventKind
from gateway.call_log import CallCommit, CallQuery
from gateway.call_notice import CallNotices
from gateway.call_record import going_on, merged, same_call
from gateway.call_tracking import Change, orphaned, overdue, track
from gateway.errors import ConflictError
from gateway.events import Event, EventType
from gateway.message import Submission, uuid7
from gateway.patience import Patience
from gateway.ports import CallLog, Clock
from gateway.representation import call_json

_ENDS = frozenset({CallEventKind.END, CallEventKind.BUSY})
RECENT = timedelta(minutes=1)
_MEMORY = timedelta(minutes=10)
"""How long an ended call is remembered, so that its record is found to be the same."""
_HOOK_COMES = timedelta(seconds=5)
"""MicroSIP records the end of a call just before it runs the hook, which knows more of it."""
_DECLINED_WITHIN = timedelta(seconds=5)
"""MicroSIP tells of a declined call as of a missed one: what ends this soon was declined."""
_MOST_RESTORED = 200
_MOST_RECORDS = 100  # merged in one transaction

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSources:
    """What tells of calls besides the event hooks: looked at again and again."""

    records: Callable[[], Awaitable[Sequence[Call]]]
    """Those of ``[Calls]`` that changed since the last time."""
    ended_before: Callable[[], Awaitable[datetime | None]]
    """Calls from before then have ended with their MicroSIP; None: nobody can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """How calls are kept."""

    look_every: timedelta = timedelta(seconds=1)
    most_waiting: int = 10_000
    """Changes that wait for a database that is away."""
    grace: timedelta = timedelta(seconds=2)
    """How long a stopping gateway stores what waits."""
    patience: Patience = field(default_factory=Patience)


class Calls:
    """Knows the calls of MicroSIP, and has all that becomes of them stored, in its order."""

    def __init__(
        self,
        *,
        call_log: CallLog,
        sources: CallSources,
        notices: CallNotices,
        clock: Clock,
        wake: Callable[[], None],
        settings: CallSettings,
    ) -> None:
        """*wake* is called when notices were queued."""
        self._call_log = call_log
        self._sources = sources
        self._notices = notices
        self._clock = clock
        self._wake = wake
        self._settings = settings
        self._known: dict[str, Call] = {}
        self._told: asyncio.Queue[CallEvent] = asyncio.Queue()
        self._concluding: dict[str, tuple[Call, datetime]] = {}
        """Records of an end that no hook told yet, since when."""
        self._declined: dict[str, datetime] = {}
        """Those that rang when a reject was handed over, and when that was."""
        self._waiting: deque[CallCommit | Sequence[Call]] = deque()
        self._woken = asyncio.Event()
        self._looking = asyncio.Lock()

    async def restore(self) -> None:
        """Go on from what is stored; before the first event is taken."""
        lately = CallQuery(since=self._clock() - _MEMORY, limit=_MOST_RESTORED)
        for call in (*await self._call_log.calls(lately), *await self._call_log.ongoing()):
            self._known[call.id] = call

    async def recent(self) -> Sequence[Call]:
        await self._look_at_records()
        since = self._clock() - RECENT
        calls = [c for c in self._known.values() if not c.ended_at or c.ended_at > since]
        return sorted(calls, key=_start, reverse=True)

    def declining(self) -> None:
        now = self._clock()
        ringing = (c for c in self._ongoing() if c.rang_at and not c.answered_at)
        self._declined |= {call.id: now for call in ringing}

    def take(self, event: CallEvent) -> None:
        """What a hook told; the rest is done by ``run``."""
        self._told.put_nowait(event)

    async def run(self) -> None:
        """Store what was taken, and look at the other sources, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow(), name="calls")
                tasks.create_task(self._store(), name="call log")
                tasks.create_task(self._keep_looking(), name="call sources")
        finally:
            await self._store_the_rest()

    async def look(self) -> None:
        """Once at everything but the hooks."""
        await self._look_at_records()
        now = self._clock()
        for call_id, (told, since) in list(self._concluding.items()):
            if now - since >= _HOOK_COMES:
                del self._concluding[call_id]
                self._merge(self._known[call_id], told, now)
        for change in overdue(self._ongoing(), now):
            self._apply(change, now)
        if ongoing := self._ongoing():
            ended_before = await self._sources.ended_before()
            # MicroSIP began in the future: the clock was set back, and compares with nothing.
            if ended_before and ended_before <= self._clock():
                for change in orphaned(ongoing, ended_before):
                    self._apply(change, now)
        self._forget(now - _MEMORY)

    async def _follow(self) -> None:
        while True:
            event = await self._told.get()
            if event.kind in _ENDS:
                await self._look_at_records()  # it may have been answered elsewhere
            self._track(event)

    def _track(self, event: CallEvent) -> None:
        *over, own = track(self._ongoing(), event) or (None,)
        for change in over:
            self._apply(change, event.at)
        if own is not None:
            self._apply(self._with_record(own), event.at, cause=event)

    def _with_record(self, change: Change) -> Change:
        if change.call.ended_at is None or change.call.id not in self._concluding:
            return change
        told, _ = self._concluding.pop(change.call.id)
        return replace(change, call=merged(change.call, told))

    async def _look_at_records(self) -> None:
        async with self._looking:
            self._take_records(await self._sources.records())

    def _take_records(self, records: Sequence[Call]) -> None:
        now, of_old = self._clock(), list[Call]()
        for told in records:
            known = same_call(self._known.values(), told)
            if known is not None and _awaits_hook(known, told):
                self._concluding.setdefault(known.id, (told, now))
                self._merge(known, going_on(told), now)
            elif known is not None:
                self._merge(known, told, now)
            elif told.started_at > now - _MEMORY:
                self._apply(Change(told), now)
            else:
                of_old.append(told)
        for first in range(0, len(of_old), _MOST_RECORDS):
            self._wait(tuple(of_old[first : first + _MOST_RECORDS]))

    def _merge(self, known: Call, told: Call, now: datetime) -> None:
        call = merged(known, told)
        ends = HOOK in known.sources and known.ended_at is None and call.ended_at
        if call != known:
            self._apply(Change(call, EventType.CALL_ENDED if ends else None), now)

    def _ongoing(self) -> Sequence[Call]:
        return sorted((c for c in self._known.values() if not c.ended_at), key=_start)

    def _apply(self, change: Change, at: datetime, cause: CallEvent | None = None) -> None:
        call, told = change.call, change.told
        self._known[call.id] = call
        events: tuple[Event, ...] = ()
        if told is not None:
            log.info("%s: %s", call.id, told)
            events = (Event(id=f"evt_{uuid7(at)}", type=told, at=at, data=call_json(call)),)
        notices: Sequence[Submission] = ()
        if not self._was_declined(call):
            notices = self._notices.of(change, cause.kind if cause else None)
        self._wait(CallCommit(call=call, cause=cause, events=events, notices=tuple(notices)))

    def _was_declined(self, call: Call) -> bool:
        """Ended by a reject: one that failed must not hide that the call was missed."""
        if call.ended_at is None:
            return False
        at = self._declined.pop(call.id, None)
        return at is not None and call.ended_at - at < _DECLINED_WITHIN

    def _forget(self, before: datetime) -> None:
        self._known = {
            call.id: call
            for call in self._known.values()
            if call.ended_at is None or call.ended_at > before
        }

    def _wait(self, item: CallCommit | Sequence[Call]) -> None:
        if len(self._waiting) >= self._settings.most_waiting:
            log.error("a change of a call is not stored: the database is away for too long")
            return
        self._waiting.append(item)
        self._woken.set()

    async def _store(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            await self._store_waiting()

    async def _store_waiting(self) -> None:
        """What is first stays so until it is stored: a stopping gateway stores it again."""
        while self._waiting:
            store = partial(self._store_one, self._waiting[0])
            await self._settings.patience.insist("a call", store)
            self._waiting.popleft()

    async def _store_one(self, item: CallCommit | Sequence[Call]) -> None:
        if not isinstance(item, CallCommit):
            await self._call_log.merge_calls(item)
            return
        with suppress(ConflictError):  # it is stored; only the acknowledgement was lost
            await self._call_log.store_call(item)
        if item.notices:
            self._wake()

    async def _store_the_rest(self) -> None:
        while not self._told.empty():
            self._track(self._told.get_nowait())
        try:
            async with asyncio.timeout(self._settings.grace.total_seconds()):
                await self._store_waiting()
        except TimeoutError:
            log.warning("%s changes of calls were not stored", len(self._waiting))

    async def _keep_looking(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(self._settings.look_every.total_seconds())


def _awaits_hook(known: Call, told: Call) -> bool:
    return HOOK in known.sources and known.ended_at is None and told.outcome is not None


def _start(call: Call) -> datetime:
    return call.started_at
