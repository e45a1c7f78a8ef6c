"""Batches of composites and home views for the image tower, made ahead by worker processes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

from moss_ros.train.ahead import made_ahead
from moss_ros.train.batches import quiet_opencv
from moss_ros.train.pictures.batches import Batch, BatchPlan, Source

AHEAD = 6  # batches kept ready
REFRESH_BATCHES = 25  # new homes are taken in so often


def batches(objects: Path, homes: Path, plan: BatchPlan, first: int, workers: int = 1) -> Generator[Batch, None, None]:
    """Batches first, first + 1, ... without end. Raises StreamError when a worker dies."""
    yield from made_ahead(_open, (objects, homes, plan), first, workers, AHEAD)


def _open(objects: Path, homes: Path, plan: BatchPlan) -> Callable[[int], Batch]:
    quiet_opencv()
    source = Source(objects, homes)

    made = 0

    def make(number: int) -> Batch:
        nonlocal made
        made += 1
        if made % REFRESH_BATCHES == 0 and source.homes is not None:
            source.homes.refresh()
        return source.batch(plan, number)

    return make
