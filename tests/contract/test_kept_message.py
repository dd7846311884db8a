"""A message that MicroSIP sent, in the history."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.accounts import identity_of
from gateway.config import Account
from gateway.errors import ConflictError
from gateway.message import Direction, Message, Status
from gateway.outbox import Outbox
from gateway.phone_message import PhoneMessage
from gateway.query import HistoryQuery
from gateway.store.messages import SqlMessageStore
from gateway.store.search import SqlArchive
from tests.contract.samples import MINUTE
from tests.fakes import NOON, FakeClock

BOT = Account(name="bot", uri="sip:bot@office.example")
SHARED = Account(name="mine", uri="sip:100@office.example", mode="record")
HELLO = PhoneMessage("1002", "back at three")


async def keep(store: SqlMessageStore, message: PhoneMessage, *accounts: Account) -> Message:
    identities = [
        identity_of(account, trusted=(), contact_secret="", addresses={})
        for account in accounts
    ]
    outbox = Outbox(
        queue=store,
        accounts=lambda: identities,
        clock=FakeClock(),
        message_ttl=timedelta(hours=72),
    )
    return await outbox.keep_written(message)


async def test_it_is_found_as_relayed_by_microsip(
    store: SqlMessageStore, archive: SqlArchive
) -> None:
    kept = await keep(store, HELLO, BOT)

    page = await archive.find(HistoryQuery(words=("three",)))

    (found,) = [item.message for item in page.items]
    assert found == kept
    assert (found.direction, found.status) == (Direction.OUTBOUND, Status.RELAYED)
    assert (found.peer, found.text) == ("sip:1002@office.example", "back at three")
    assert (found.origin, found.account, found.from_uri) == ("microsip", "", "")
    assert found.settled_at == NOON


async def test_an_address_shared_with_microsip_is_whose_it_is(store: SqlMessageStore) -> None:
    kept = await keep(store, HELLO, BOT, SHARED)

    assert (kept.account, kept.from_uri) == ("mine", "sip:100@office.example")


@pytest.mark.parametrize(
    ("number", "peer"),
    [
        ("+4930123", "sip:+4930123@office.example"),
        ("*72#", "sip:*72#@office.example"),
        ("sip:eva@office.example:5070", "sip:eva@office.example:5070"),
    ],
)
async def test_its_peer_is_an_address(store: SqlMessageStore, number: str, peer: str) -> None:
    kept = await keep(store, replace(HELLO, number=number), BOT)

    assert kept.peer == peer


async def test_it_is_never_delivered_nor_cancelled(store: SqlMessageStore) -> None:
    kept = await keep(store, HELLO, BOT)

    leased = await store.lease_due(NOON + MINUTE, MINUTE, 10, 10)

    assert list(leased) == []
    with pytest.raises(ConflictError):
        await store.cancel(kept.id, NOON)
