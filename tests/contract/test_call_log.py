"""The log of MicroSIP's calls, with what hooks and [Calls] tell of one and the same."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest

from gateway.call import HOOK, INI, Call, CallDirection, CallEvent, CallEventKind, CallOutcome
from gateway.call_log import CallCommit, CallQuery
from gateway.errors import ConflictError
from gateway.events import Event, EventType, Subscription, Subscriptions
from gateway.store.calls import SqlCallLog
from gateway.store.database import Database
from gateway.store.events import EventOutbox
from gateway.store.messages import SqlMessageStore
from tests.contract.samples import HOUR, MINUTE, sent
from tests.fakes import NOON

SECOND = timedelta(seconds=1)

_numbers = count(1)


@pytest.fixture
def call_log(database: Database) -> SqlCallLog:
    return SqlCallLog(database=database)


def call(peer: str = "555", *, at: datetime = NOON) -> Call:
    return Call(
        id=f"call_{next(_numbers)}",
        direction=CallDirection.INCOMING,
        peer=peer,
        started_at=at,
        sources=(HOOK,),
    )


def record(peer: str = "555", *, at: datetime = NOON) -> Call:
    return Call(
        id=f"call_of_ini_{next(_numbers)}",
        direction=CallDirection.INCOMING,
        peer=peer,
        name="Anna",
        started_at=at,
        ended_at=at,
        outcome=CallOutcome.MISSED,
        sources=(INI,),
        record_key=f"{at.timestamp():.0f};{peer}",
    )


def rung(item: Call) -> CallCommit:
    cause = CallEvent(
        id=f"evt_{next(_numbers)}", kind=CallEventKind.RING, user=item.peer, at=item.started_at
    )
    return CallCommit(call=item, cause=cause)


async def stored(call_log: SqlCallLog, *calls: Call) -> None:
    for item in calls:
        await call_log.store_call(rung(item))


async def ids(call_log: SqlCallLog, query: CallQuery, *, before: str = "") -> Sequence[str]:
    return [item.id for item in await call_log.calls(query, before=before)]


async def test_a_call_is_kept_as_it_is_now(call_log: SqlCallLog) -> None:
    begun = call("a\0b")
    ended = replace(
        begun,
        rang_at=NOON + SECOND,
        answered_at=NOON + MINUTE,
        ended_at=NOON + HOUR,
        outcome=CallOutcome.ANSWERED,
        name="Anna",
        sources=(HOOK, INI),
        record_key="1;555",
    )
    await stored(call_log, begun)

    await stored(call_log, ended)

    assert await call_log.call(begun.id) == replace(ended, peer="a␀b")
    assert await ids(call_log, CallQuery()) == [begun.id]
    assert await call_log.call("call_unknown\0") is None


async def test_an_event_is_stored_with_its_call_and_notices_once(
    call_log: SqlCallLog, store: SqlMessageStore
) -> None:
    commit = replace(rung(call()), notices=(sent("call from 555"),))
    await call_log.store_call(commit)
    later = replace(commit.call, ended_at=NOON + HOUR, outcome=CallOutcome.MISSED)
    await call_log.store_call(CallCommit(call=later))

    await call_log.store_call(replace(commit, notices=(sent("call from 555"),)))

    assert await store.queue_depth() == 1
    assert await call_log.call(later.id) == later


async def test_what_no_hook_told_is_refused_the_second_time(
    call_log: SqlCallLog, store: SqlMessageStore
) -> None:
    commit = CallCommit(call=call(), notices=(sent("missed call"),))
    await call_log.store_call(commit)

    with pytest.raises(ConflictError):
        await call_log.store_call(commit)

    assert await store.queue_depth() == 1


async def test_webhooks_that_want_it_are_queued_with_the_call(database: Database) -> None:
    woken: list[str] = []
    wanted = Subscription(endpoint="whe_crm", patterns=("call.ringing",))
    outbox = EventOutbox(subscriptions=Subscriptions([wanted]), wake=woken.extend)
    call_log = SqlCallLog(database=database, events=outbox)
    item = call()
    ringing = Event(id="evt_r", type=EventType.CALL_RINGING, at=NOON, data={"id": item.id})
    incoming = Event(id="evt_i", type=EventType.CALL_INCOMING, at=NOON, data={})

    await call_log.store_call(replace(rung(item), events=(incoming,)))
    none_yet = list(woken)
    await call_log.store_call(replace(rung(item), events=(ringing,)))

    assert none_yet == []
    assert woken == ["whe_crm"]


async def test_calls_are_read_newest_first_in_pages(call_log: SqlCallLog) -> None:
    calls = [call(at=NOON + minute * MINUTE) for minute in (0, 1, 1, 2)]
    older = record(at=NOON - HOUR)
    await stored(call_log, *calls)
    await call_log.merge_calls([older])

    first = await ids(call_log, CallQuery(limit=2))
    second = await ids(call_log, CallQuery(limit=2), before=first[-1])
    last = await ids(call_log, CallQuery(limit=2), before=second[-1])

    assert [*first, *second, *last] == [*(one.id for one in reversed(calls)), older.id]
    assert await ids(call_log, CallQuery(), before="call_unknown") == []


async def test_every_condition_narrows(call_log: SqlCallLog) -> None:
    incoming = call(at=NOON)
    outgoing = replace(call("666", at=NOON + HOUR), direction=CallDirection.OUTGOING)
    busy = replace(outgoing, ended_at=NOON + HOUR, outcome=CallOutcome.BUSY)
    await stored(call_log, incoming, outgoing, busy)

    async def found(query: CallQuery) -> list[str]:
        return [item.peer for item in await call_log.calls(query)]

    assert await found(CallQuery(peer="555")) == ["555"]
    assert await found(CallQuery(direction=CallDirection.OUTGOING)) == ["666"]
    assert await found(CallQuery(outcome=CallOutcome.BUSY)) == ["666"]
    assert await found(CallQuery(since=NOON + MINUTE)) == ["666"]
    assert await found(CallQuery(until=NOON + HOUR)) == ["555"]
    assert await found(CallQuery(peer="555", outcome=CallOutcome.BUSY)) == []


async def test_a_restart_goes_on_from_the_calls_without_an_end(call_log: SqlCallLog) -> None:
    first, second = call(), call(at=NOON + HOUR)
    over = replace(call(), ended_at=NOON, outcome=CallOutcome.MISSED)
    await stored(call_log, second, over, first)

    assert list(await call_log.ongoing()) == [first, second]


async def test_a_record_of_a_call_that_hooks_told_of_is_that_call(
    call_log: SqlCallLog,
) -> None:
    known = replace(
        call(at=NOON + 3 * SECOND), ended_at=NOON + HOUR, outcome=CallOutcome.MISSED
    )
    await stored(call_log, known)

    merged = await call_log.merge_calls([record()])
    again = await call_log.merge_calls([record()])

    assert [item.id for item in merged] == [known.id]
    assert list(again) == []
    (kept,) = await call_log.calls(CallQuery())
    assert (kept.started_at, kept.name, kept.sources) == (
        known.started_at,
        "Anna",
        (HOOK, INI),
    )


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(call(at=NOON + 6 * SECOND), id="later"),
        pytest.param(call("666"), id="another-number"),
        pytest.param(replace(call(), direction=CallDirection.OUTGOING), id="other-direction"),
    ],
)
async def test_a_record_of_no_known_call_is_a_call(call_log: SqlCallLog, other: Call) -> None:
    await stored(call_log, other)

    await call_log.merge_calls([record()])

    assert len(await call_log.calls(CallQuery())) == 2


async def test_two_calls_cannot_be_of_one_record(call_log: SqlCallLog) -> None:
    told = record()
    await call_log.merge_calls([told])
    claimant = replace(call(), record_key=told.record_key)

    await stored(call_log, claimant)

    assert await call_log.call(claimant.id) == replace(claimant, record_key="")


async def test_a_number_of_any_length_is_kept(call_log: SqlCallLog) -> None:
    longest = "\N{GRINNING FACE}" * 256

    await call_log.merge_calls([record(longest)])

    assert [item.peer for item in await call_log.calls(CallQuery(peer=longest))] == [longest]
