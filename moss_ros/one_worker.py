"""A thread beside the caller: images are read and segmented while others are mapped."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

T = TypeVar("T")
READY = 3  # things read ahead
MOST_WAITING = 3


class OneWorker:
    """Does one piece of work after another in a thread that it starts when it is first needed."""

    def __init__(self, most: int = MOST_WAITING) -> None:
        """most: pieces that may wait or be in work; who brings more waits for the oldest."""
        self._most = most
        self._pool: ThreadPoolExecutor | None = None
        self._brought: deque[Future[Any]] = deque()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Begin once everything that was submitted before is done."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(1, "one-worker")
        while len(self._brought) >= self._most:
            wait([self._brought.popleft()])
        future = self._pool.submit(work)
        self._brought.append(future)
        return future

    def __deepcopy__(self, memo: dict[int, Any]) -> OneWorker:
        return OneWorker(self._most)


def read_ahead(things: Iterable[T], ready: int = READY) -> Iterator[T]:
    """The same things in the same order; the next ones are made while one is used. None ends them.

    Raises what making them raises, when it is their turn.
    """
    worker, source = OneWorker(ready + 1), iter(things)
    pending = deque(worker.submit(lambda: next(source, None)) for _ in range(ready))
    while (thing := pending.popleft().result()) is not None:
        pending.append(worker.submit(lambda: next(source, None)))
        yield thing
