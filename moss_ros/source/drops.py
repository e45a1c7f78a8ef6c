"""What was not used, and why. Thread-safe: callbacks and the worker both count."""

from __future__ import annotations

from collections import Counter
from threading import Lock


class DropLog:
    """Counts by reason, with the last message (which names the fix) of each."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[str] = Counter()
        self._messages: dict[str, str] = {}

    def add(self, reason: str, message: str, count: int = 1) -> None:
        """One more of this reason."""
        with self._lock:
            self._counts[reason] += count
            self._messages[reason] = message

    @property
    def counts(self) -> Counter[str]:
        """A copy of the counts."""
        with self._lock:
            return Counter(self._counts)

    @property
    def messages(self) -> dict[str, str]:
        """A copy of the last message of each reason."""
        with self._lock:
            return dict(self._messages)
