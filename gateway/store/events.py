"""Events, queued for webhooks in the transaction that makes them true."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.events import Event, EventType, Subscriptions
from gateway.message import Message, Status, uuid7
from gateway.representation import event_json, message_json, new_event_id
from gateway.store.columns import storable
from gateway.store.tables import OPEN, event, webhook_delivery

_TYPES = {
    Status.RECEIVED: EventType.MESSAGE_RECEIVED,
    Status.DELIVERED: EventType.MESSAGE_DELIVERED,
    Status.RELAYED: EventType.MESSAGE_RELAYED,
    Status.FAILED: EventType.MESSAGE_FAILED,
    Status.EXPIRED: EventType.MESSAGE_EXPIRED,
    Status.CANCELED: EventType.MESSAGE_CANCELED,
}
"""No event tells of a refused message: whoever can send a packet can cause those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOutbox:
    """Where the stores leave what happened; without subscriptions it does nothing."""

    subscriptions: Subscriptions = field(default_factory=Subscriptions)
    wake: Callable[[Iterable[str]], None] = lambda _: None
    """Tells the webhook worker which endpoints have something due."""

    async def queue(self, connection: AsyncConnection, events: Sequence[Event]) -> None:
        """Store those that an endpoint wants, due at once; part of the caller's transaction."""
        wanted = [item for item in events if self.subscriptions.wanting(item.type)]
        if not wanted:
            return
        numbers = await store_events(connection, wanted)
        await store_deliveries(
            connection,
            [
                (endpoint, numbers[item.id], item.at)
                for item in wanted
                for endpoint in self.subscriptions.wanting(item.type)
            ],
        )

    def committed(self, *types: EventType) -> None:
        """Events of these types were queued by a transaction that is committed now."""
        endpoints = {name for one in types for name in self.subscriptions.wanting(one)}
        if endpoints:
            self.wake(endpoints)

    async def queue_messages(
        self, connection: AsyncConnection, messages: Collection[Message]
    ) -> None:
        """Tell that these were received, or that their status is final."""
        wanted = {status for status in {m.status for m in messages} if self.wants(status)}
        events = [_message_event(m, _TYPES[m.status]) for m in messages if m.status in wanted]
        await self.queue(connection, events)

    def wants(self, status: Status) -> bool:
        """Whether ``queue_messages`` tells of a message with it."""
        event_type = _TYPES.get(status)
        return event_type is not None and bool(self.subscriptions.wanting(event_type))

    def committed_messages(self, statuses: Iterable[Status]) -> None:
        """As ``committed``, for messages with these, which ``queue_messages`` was given."""
        self.committed(*{_TYPES[status] for status in statuses if status in _TYPES})


def _message_event(message: Message, event_type: EventType) -> Event:
    at = message.settled_at or message.created_at
    stored = replace(message, text=storable(message.text))
    return Event(id=new_event_id(at), type=event_type, at=at, data=message_json(stored))


async def store_events(connection: AsyncConnection, events: Sequence[Event]) -> dict[str, int]:
    """The number of each, by its id."""
    rows = await connection.execute(
        insert(event).returning(event.c.id, event.c.number),
        [
            {"id": item.id, "type": item.type.value, "at": item.at, "body": _body(item)}
            for item in events
        ],
    )
    return {row.id: row.number for row in rows}


def _body(item: Event) -> str:
    return json.dumps(event_json(item), ensure_ascii=False, separators=(",", ":"))


async def store_deliveries(
    connection: AsyncConnection, items: Sequence[tuple[str, int, datetime]]
) -> None:
    """Of (endpoint, number of the event, due at), each a new one."""
    await connection.execute(
        insert(webhook_delivery),
        [
            {
                "id": f"whd_{uuid7(at)}",
                "event": number,
                "endpoint": endpoint,
                "state": OPEN,
                "attempts": 0,
                "due_at": at,
                "reason": "",
                "created_at": at,
            }
            for endpoint, number, at in items
        ],
    )
