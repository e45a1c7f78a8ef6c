"""Wall-clock medians. All rivals of a table run in one process, because machines are shared and noisy."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any


def interleaved_seconds(works: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Medians of several rivals that take turns, so that a slow moment of the machine hits all of them."""
    samples: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeats + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            samples[name].append(time.perf_counter() - start)
    return {name: statistics.median(times[1:]) for name, times in samples.items()}
