"""How long each stage takes: a bounded record, summarised for diagnostics, reports and benchmarks."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_KEPT = 2000  # samples per stage


class Timings:
    """Milliseconds per stage name."""

    def __init__(self) -> None:
        self._samples: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_KEPT))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the body."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._samples[name].append((time.perf_counter() - start) * 1e3)

    def summary(self) -> dict[str, dict[str, float]]:
        """{stage: {median_ms, p95_ms, max_ms, n}} in order of first use."""
        out = {}
        for name, samples in list(self._samples.items()):
            values = np.array(samples)
            out[name] = {
                "median_ms": float(np.median(values)),
                "p95_ms": float(np.percentile(values, 95)),
                "max_ms": float(values.max()),
                "n": len(values),
            }
        return out
