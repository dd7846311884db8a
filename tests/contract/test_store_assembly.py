"""The stores, put together as the gateway has them."""

from prometheus_client import CollectorRegistry

from gateway.config import Account, Settings, Sip
from gateway.metrics import Metrics
from gateway.store.database import Database
from gateway.store_assembly import Stores
from tests.contract.node import Node
from tests.contract.samples import sent
from tests.fakes import NOON


def assembled(database: Database, account: Account) -> Stores:
    settings = Settings(sip=Sip(accounts=(account,)))
    return Stores.on(database, Metrics(CollectorRegistry()), settings, lambda: None)


async def test_a_gateway_takes_on_what_came_for_an_account_of_its_own(
    database: Database, anna_pc: Node
) -> None:
    """On SQLite there is no other gateway that could answer it."""
    left = await anna_pc.receives("help")
    stores = {
        name: assembled(database, Account(name=name, uri="sip:office@127.0.0.1"))
        for name in ("sales", left.account)
    }

    by_sales = await stores["sales"].nodes.take_over()
    by_its_account = await stores[left.account].nodes.take_over()

    taken = [left.id]
    assert [message.id for message in by_sales] == (taken if database.is_sqlite else [])
    assert [message.id for message in by_its_account] == taken


async def test_a_gateway_sends_by_an_account_of_its_own(database: Database) -> None:
    stores = [
        assembled(database, Account(name=name, uri="sip:office@127.0.0.1"))
        for name in ("sales", "support")
    ]
    await stores[1].messages.add_outbound(sent("by support", account="support"))

    due = [await each.messages.next_due(NOON) for each in stores]

    assert due == [NOON if database.is_sqlite else None, NOON]
