"""Batches used more than once, for a device that is faster than the workers (data echoing, Choi et al. 2019)."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Any

import numpy as np

PATIENCE_S = 900.0
KEPT = 400  # batches that are drawn from
READY = 2  # joined batches that wait for the device


def echoed(
    stream: Iterable[Any], join: Callable[[list[Any]], Any], count: int, seed: int, keep: int = KEPT
) -> Generator[Any, None, None]:
    """Joined batches without end: each of ``count`` different ones of the last ``keep`` batches of a stream.

    What is drawn depends on how fast the stream is, so a training with it does not come back to the bit. Begins once
    2 x count batches are there. Raises what the stream raises.
    """
    ring: deque[Any] = deque(maxlen=max(keep, 2 * count))
    state = threading.Condition()
    failed: list[BaseException] = []
    ready: queue.Queue[Any] = queue.Queue(READY)
    over = threading.Event()

    def fill() -> None:
        try:
            for batch in stream:
                with state:
                    ring.append(batch)
                    state.notify()
                if over.is_set():
                    return
        except BaseException as error:
            failed.append(error)
        finally:
            over.set()
            with state:
                state.notify()

    def draw() -> None:
        rng = np.random.default_rng([seed, 977])
        with state:
            state.wait_for(lambda: len(ring) >= 2 * count or over.is_set())
        while not over.is_set():
            with state:
                chosen = [ring[int(k)] for k in rng.choice(len(ring), count, replace=False)]
            joined = join(chosen)
            while not over.is_set():
                try:
                    ready.put(joined, timeout=1.0)
                    break
                except queue.Full:
                    continue

    threads = [threading.Thread(target=work, daemon=True) for work in (fill, draw)]
    for thread in threads:
        thread.start()
    try:
        while True:
            yield _taken(ready, over, failed)
    finally:
        over.set()


def _taken(ready: queue.Queue[Any], over: threading.Event, failed: list[BaseException]) -> Any:
    waited = 0.0
    while waited < PATIENCE_S:
        try:
            return ready.get(timeout=1.0)
        except queue.Empty:
            waited += 1.0
            if over.is_set():
                raise (failed[0] if failed else RuntimeError("the stream of batches has ended")) from None
    raise TimeoutError(f"no batch for {PATIENCE_S:.0f} s")
