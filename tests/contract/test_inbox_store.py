"""The inbox: what was received is stored once, and answered once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.message import Deferred, Delivered, Flag, MessageId, Status, uuid7
from gateway.store.database import Database
from gateway.store.messages import SqlMessageStore
from gateway.store.search import SqlArchive
from tests.contract.samples import (
    AWAY,
    BERT,
    HOUR,
    MINUTE,
    SILENCE,
    arrival,
    received,
    sent,
    settled,
)
from tests.fakes import NOON, OK


async def test_a_message_comes_back_as_it_was_stored(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    message = replace(
        received("grüße 🎉", tags=("alerts", "night")),
        raw_body=b"\xff\x00",
        flags=frozenset({Flag.UNDECODABLE, Flag.TRUNCATED}),
        client_ref="42",
        settled_at=NOON + timedelta(microseconds=1),
    )

    stored = await store.add_inbound([arrival(message)])

    found = await archive.get(message.id)
    assert list(stored) == [message]
    assert found is not None
    assert found.message == message


async def test_an_id_is_stored_once(store: SqlMessageStore, archive: SqlArchive) -> None:
    message = received("first")
    await store.add_inbound([arrival(message)])

    again = await store.add_inbound([arrival(replace(message, text="second"))])

    found = await archive.get(message.id)
    assert list(again) == []
    assert found is not None
    assert found.message.text == "first"


async def test_a_request_under_a_new_id_is_stored_once(store: SqlMessageStore) -> None:
    message = received()
    twin = replace(message, id=MessageId(uuid7(NOON)))
    other = received()
    await store.add_inbound([arrival(message)])

    stored = await store.add_inbound([arrival(twin), arrival(other)])

    assert list(stored) == [other]


async def test_a_duplicate_within_a_batch_is_stored_once(store: SqlMessageStore) -> None:
    message = received()
    twin = replace(message, id=MessageId(uuid7(NOON)))

    stored = await store.add_inbound([arrival(message), arrival(twin), arrival(message)])

    assert list(stored) == [message]


async def test_a_forged_request_does_not_take_a_genuine_ones_place(
    store: SqlMessageStore,
) -> None:
    forged = received("forged", proven=False)
    genuine = replace(forged, id=MessageId(uuid7(NOON)), text="genuine", proven=True)
    await store.add_inbound([arrival(forged)])

    stored = await store.add_inbound([arrival(genuine)])

    assert list(stored) == [genuine]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a\0b", "a␀b", id="nul"),
        pytest.param("a\ud800b", "a\ufffdb", id="lone surrogate"),
    ],
)
async def test_unstorable_text_is_shown_and_its_bytes_are_kept(
    store: SqlMessageStore, archive: SqlArchive, text: str, shown: str
) -> None:
    message = received(text)

    await store.add_inbound([arrival(message)])

    found = await archive.get(message.id)
    assert found is not None
    assert found.message.text == shown
    assert found.message.raw_body == text.encode("utf-8", "surrogatepass")


async def test_hostile_headers_are_stored(store: SqlMessageStore) -> None:
    message = replace(
        received("x"),
        call_id="\0" * 60_000,
        from_tag="\udcff",
        to_uri="sip:\ud800@x",
        cseq=2**63 - 1,
        tags=("a\nb\0", "\udfff"),
    )

    stored = await store.add_inbound([arrival(message)])

    assert [item.id for item in stored] == [message.id]


async def test_only_what_needs_an_answer_is_unhandled_oldest_first(
    store: SqlMessageStore,
) -> None:
    first, second, heard = received("help"), received("ping"), received("thanks")
    await store.add_inbound(
        [
            arrival(first, needs_answer=True),
            arrival(heard),
            arrival(second, needs_answer=True),
        ]
    )

    assert list(await store.unhandled()) == [first, second]


async def test_one_that_waits_for_its_answer_is_returned_again(
    store: SqlMessageStore,
) -> None:
    waiting, heard, fresh = received("help"), received("thanks"), received("ping")
    batch = [arrival(waiting, needs_answer=True), arrival(heard)]
    await store.add_inbound(batch)

    again = await store.add_inbound([*batch, arrival(fresh), *batch])

    assert list(again) == [waiting, fresh]


async def test_one_that_is_answered_is_not_returned_again(store: SqlMessageStore) -> None:
    message = received("help")
    await store.add_inbound([arrival(message, needs_answer=True)])
    await store.settle_inbound(message.id, [])

    again = await store.add_inbound([arrival(message, needs_answer=True)])

    assert list(again) == []


async def test_what_is_returned_again_is_as_it_was_stored(store: SqlMessageStore) -> None:
    message = received("help")
    await store.add_inbound([arrival(message, needs_answer=True)])

    again = await store.add_inbound([arrival(replace(message, text="x", proven=False))])

    assert list(again) == [message]


async def test_a_retransmission_of_one_that_waits_is_not_returned(
    store: SqlMessageStore,
) -> None:
    message = received("help")
    twin = replace(message, id=MessageId(uuid7(NOON)))
    await store.add_inbound([arrival(message, needs_answer=True)])

    again = await store.add_inbound([arrival(twin, needs_answer=True)])

    assert list(again) == []


async def test_settling_queues_the_replies_and_ends_the_waiting(
    store: SqlMessageStore,
) -> None:
    message, reply = received("help"), sent("OK help")
    await store.add_inbound([arrival(message, needs_answer=True)])

    await store.settle_inbound(message.id, [reply])

    leased = await store.lease_due(NOON, MINUTE, 10, 50)
    assert list(await store.unhandled()) == []
    assert [delivery.body for delivery in leased] == ["OK help"]


async def test_what_waits_for_a_peer_goes_where_its_reply_goes(store: SqlMessageStore) -> None:
    old, new = "127.0.0.1:41577", "127.0.0.1:5060"
    for waiting in (
        sent("for Anna", destination=old),
        sent("by another account", destination=old, account="other"),
        sent("for Bert", peer=BERT, destination=old),
    ):
        await store.add_outbound(waiting)
    message = received("help")
    await store.add_inbound([arrival(message, needs_answer=True)])

    await store.settle_inbound(message.id, [sent("OK help", destination=new)])

    assert await _destinations(store) == {
        "for Anna": new,
        "by another account": old,
        "for Bert": old,
        "OK help": new,
    }


async def test_a_message_is_answered_once(store: SqlMessageStore) -> None:
    message = received("help")
    await store.add_inbound([arrival(message, needs_answer=True)])
    await store.settle_inbound(message.id, [sent("OK help")])

    await store.settle_inbound(message.id, [sent("OK help")])

    assert await store.queue_depth() == 1


async def test_a_peer_that_writes_is_due_at_once(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("for Anna"))
    [delivery] = await store.lease_due(NOON, MINUTE, 10, 50)
    await store.settle(settled(delivery, Deferred(AWAY, NOON + HOUR, Status.WAITING)))
    before = await store.lease_due(NOON, MINUTE, 10, 50)

    await store.add_inbound([arrival(received("I am back"))])

    [after] = await store.lease_due(NOON, MINUTE, 10, 50)
    assert list(before) == []
    assert (after.id, after.peer_known) == (delivery.id, True)


async def test_the_worker_is_woken_for_a_peer_that_writes_when_something_waits(
    database: Database,
) -> None:
    woken: list[str] = []
    store = SqlMessageStore(database=database, wake=lambda: woken.append("now"))
    await store.add_inbound([arrival(received("I am here"))])
    await store.add_outbound(sent("for Anna"))
    [delivery] = await store.lease_due(NOON, MINUTE, 10, 50)
    await store.settle(settled(delivery, Deferred(AWAY, NOON + HOUR, Status.WAITING)))
    woken.clear()

    await store.add_inbound([arrival(received("I am back"))])
    while_it_waited = len(woken)
    await store.add_inbound([arrival(received("and still here"))])

    assert (while_it_waited, len(woken)) == (1, 1)


async def test_a_peer_that_writes_during_an_attempt_is_due_at_its_end(
    store: SqlMessageStore,
) -> None:
    await store.add_outbound(sent("for Anna"))
    [delivery] = await store.lease_due(NOON, MINUTE, 10, 50)

    await store.add_inbound([arrival(received("I am back"))])
    await store.settle(settled(delivery, Deferred(SILENCE, NOON + HOUR, Status.RETRYING)))

    [again] = await store.lease_due(NOON, MINUTE, 10, 50)
    assert again.id == delivery.id


async def test_having_written_counts_for_one_attempt(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("for Anna"))
    [delivery] = await store.lease_due(NOON, MINUTE, 10, 50)
    await store.add_inbound([arrival(received("I am back"))])
    deferred = settled(delivery, Deferred(SILENCE, NOON + HOUR, Status.RETRYING))
    await store.settle(deferred)
    await store.lease_due(NOON, MINUTE, 10, 50)

    await store.settle(settled(delivery, deferred.outcome, at=NOON + MINUTE))

    assert list(await store.lease_due(NOON, MINUTE, 10, 50)) == []


async def test_an_unproven_sender_wakes_nothing(store: SqlMessageStore) -> None:
    await store.add_outbound(sent("for Anna"))
    [delivery] = await store.lease_due(NOON, MINUTE, 10, 50)
    await store.settle(settled(delivery, Deferred(AWAY, NOON + HOUR, Status.WAITING)))

    await store.add_inbound([arrival(received("I am Anna", proven=False))])

    assert list(await store.lease_due(NOON, MINUTE, 10, 50)) == []


async def test_writing_does_not_bring_a_scheduled_message_forward(
    store: SqlMessageStore,
) -> None:
    await store.add_outbound(sent("tomorrow", due_at=NOON + HOUR))

    await store.add_inbound([arrival(received("hello"))])

    assert list(await store.lease_due(NOON, MINUTE, 10, 50)) == []
    assert await store.next_due(NOON) == NOON + HOUR


async def _destinations(store: SqlMessageStore) -> dict[str, str]:
    """Where the body of each open delivery goes; each is delivered."""
    went: dict[str, str] = {}
    while leased := await store.lease_due(NOON, MINUTE, 10, 50):
        for delivery in leased:
            went[delivery.body] = delivery.destination
            await store.settle(settled(delivery, Delivered(OK)))
    return went
