"""A hand-over between threads that never blocks the giver: when it is full, the oldest item makes room."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """The newest items, at most ``capacity`` of them (one by default)."""

    def __init__(self, capacity: int = 1) -> None:
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, got {capacity}")
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._lock = Lock()

    def put(self, item: T) -> int:
        """Add the newest item; returns how many old ones were replaced."""
        with self._lock:
            replaced = max(0, len(self._items) + 1 - self._capacity)
            for _ in range(replaced):
                self._items.popleft()
            self._items.append(item)
            return replaced

    def take(self) -> T | None:
        """The oldest item kept, None when empty."""
        with self._lock:
            return self._items.popleft() if self._items else None

    def clear(self) -> int:
        """Throw all away; returns how many."""
        with self._lock:
            count = len(self._items)
            self._items.clear()
            return count

    def __len__(self) -> int:
        return len(self._items)
