"""A call log in memory, for what only reads it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.call import Call
from gateway.call_log import CallCommit, CallQuery


@dataclass
class FakeCallLog:
    """Whatever it is asked, it has all its calls, newest first."""

    kept: list[Call] = field(default_factory=list)

    async def store_call(self, commit: CallCommit) -> None:
        self.kept.append(commit.call)

    async def merge_calls(self, calls: Sequence[Call]) -> Sequence[Call]:
        self.kept += calls
        return calls

    async def calls(self, query: CallQuery, *, before: str = "") -> Sequence[Call]:
        found = sorted(self.kept, key=lambda call: call.started_at, reverse=True)
        place = next((n for n, call in enumerate(found, 1) if call.id == before), 0)
        return found[place : place + query.limit]

    async def call(self, call_id: str) -> Call | None:
        return next((call for call in self.kept if call.id == call_id), None)

    async def ongoing(self) -> Sequence[Call]:
        return [call for call in self.kept if call.ended_at is None]
