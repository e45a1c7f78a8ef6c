"""Batches of simulated views for the mask network, made ahead."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

from moss_ros.sim.training_views.view_pool import ViewPool
from moss_ros.train.ahead import made_ahead
from moss_ros.train.batches import Batch, BatchPlan, make_batch, quiet_opencv

AHEAD = 3  # batches that each worker keeps ready


def batches(pool_folder: Path, plan: BatchPlan, first: int, workers: int) -> Generator[Batch, None, None]:
    """Batches first, first + 1, ... without end; workers 0 makes them in this process.

    Raises StreamError when a worker dies.
    """
    yield from made_ahead(_open, (pool_folder, plan), first, workers, AHEAD)


def _open(pool_folder: Path, plan: BatchPlan) -> Callable[[int], Batch]:
    quiet_opencv()
    pool = ViewPool(pool_folder)
    return lambda number: make_batch(pool, plan, number)
