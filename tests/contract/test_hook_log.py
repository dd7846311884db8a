"""Inbound webhooks: stored with their messages, once."""

import asyncio
from dataclasses import replace

from gateway.hook_delivery import HookDelivery
from gateway.store.hooks import SqlHookLog
from gateway.store.messages import SqlMessageStore
from tests.contract.samples import sent
from tests.fakes import NOON


def posted(number: int = 1, *, duplicate_key: str = "", source: str = "alerts") -> HookDelivery:
    return HookDelivery(
        id=f"hkd_{number}",
        source=source,
        duplicate_key=duplicate_key,
        received_at=NOON,
        content_type="application/json",
        body=b'{"a": "\x00\xff"}',
        headers=(("X-Id", "\udc80\0"), ("X-Id", "2")),
    )


async def test_a_webhook_is_stored_with_its_messages(
    hook_log: SqlHookLog, store: SqlMessageStore
) -> None:
    first, second = sent("disk full"), sent("disk full")

    receipt = await hook_log.add_hook(posted(), [first, second])

    assert (receipt.delivery_id, receipt.duplicate) == ("hkd_1", False)
    assert receipt.message_ids == (first.message.id, second.message.id)
    assert await store.queue_depth() == 2


async def test_a_duplicate_stores_nothing_and_names_the_first(
    hook_log: SqlHookLog, store: SqlMessageStore
) -> None:
    key = "k" * 10_000
    first = await hook_log.add_hook(posted(1, duplicate_key=key), [sent("disk full")])

    again = await hook_log.add_hook(posted(2, duplicate_key=key), [sent("disk full")])

    assert again == replace(first, duplicate=True)
    assert await store.queue_depth() == 1


async def test_duplicates_at_once_store_one(
    hook_log: SqlHookLog, store: SqlMessageStore
) -> None:
    receipts = await asyncio.gather(
        *(
            hook_log.add_hook(posted(number, duplicate_key="same"), [sent()])
            for number in range(5)
        )
    )

    assert len({receipt.delivery_id for receipt in receipts}) == 1
    assert sorted(receipt.duplicate for receipt in receipts) == [False] + [True] * 4
    assert await store.queue_depth() == 1


async def test_the_same_id_of_another_source_is_no_duplicate(hook_log: SqlHookLog) -> None:
    await hook_log.add_hook(posted(1, duplicate_key="7", source="alerts"), [])

    receipt = await hook_log.add_hook(posted(2, duplicate_key="7", source="crm"), [])

    assert not receipt.duplicate


async def test_without_an_id_nothing_is_a_duplicate(hook_log: SqlHookLog) -> None:
    await hook_log.add_hook(posted(1), [])

    assert not (await hook_log.add_hook(posted(2), [])).duplicate


async def test_a_failing_message_keeps_the_webhook_out(
    hook_log: SqlHookLog, store: SqlMessageStore
) -> None:
    stored = sent()
    await store.add_outbound(stored)
    [result] = await asyncio.gather(
        hook_log.add_hook(posted(1, duplicate_key="7"), [stored]), return_exceptions=True
    )

    receipt = await hook_log.add_hook(posted(1, duplicate_key="7"), [sent()])

    assert isinstance(result, Exception)
    assert not receipt.duplicate


async def test_a_webhook_is_kept_as_it_came(hook_log: SqlHookLog) -> None:
    delivery = posted(1, duplicate_key="7")
    await hook_log.add_hook(delivery, [])

    kept = await hook_log.hook_delivery("hkd_1")

    assert kept is not None
    assert (kept.body, kept.source, kept.received_at) == (delivery.body, "alerts", NOON)
    assert [name for name, _ in kept.headers] == ["X-Id", "X-Id"]
    assert await hook_log.hook_delivery("hkd_2") is None


async def test_pages_are_newest_first(hook_log: SqlHookLog) -> None:
    message = sent("disk full")
    await hook_log.add_hook(posted(1), [message])
    for number in (2, 3):
        await hook_log.add_hook(posted(number), [])

    first = await hook_log.hook_deliveries(2)
    second = await hook_log.hook_deliveries(2, before=first[-1].id)

    assert [entry.id for entry in first] == ["hkd_3", "hkd_2"]
    assert [entry.id for entry in second] == ["hkd_1"]
    assert second[0].message_ids == (message.message.id,)
    assert second[0].size == len(posted().body)
