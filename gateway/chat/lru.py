"""A mapping that forgets what was used least recently."""

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

MAX_PEERS = 10_000
"""What is kept for each peer is bounded, however many there are."""


class LruDict(Generic[K, V]):
    """At most *capacity* entries."""

    def __init__(self, capacity: int = MAX_PEERS) -> None:
        self._capacity = capacity
        self._entries: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        value = self._entries.get(key)
        if value is not None:
            self._entries[key] = self._entries.pop(key)
        return value

    def put(self, key: K, value: V) -> None:
        self._entries.pop(key, None)
        self._entries[key] = value
        if len(self._entries) > self._capacity:
            del self._entries[next(iter(self._entries))]

    def pop(self, key: K) -> V | None:
        return self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)
