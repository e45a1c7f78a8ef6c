"""Batches made ahead by worker processes, delivered in order."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Iterator
from pathlib import Path

from moss_ros.sim.view_pool import ViewPool
from moss_ros.train.batches import Batch, BatchPlan, make_batch, quiet_opencv

AHEAD = 3  # batches that each worker keeps ready
PATIENCE_S = 600.0
PATROL_S = 5.0  # how often a waiting worker looks whether the training is still there


class StreamError(RuntimeError):
    """The workers died or hang."""


def batches(pool_folder: Path, plan: BatchPlan, first: int, workers: int) -> Iterator[Batch]:
    """Batches first, first + 1, ... without end; workers 0 makes them in this process.

    Raises StreamError when a worker dies.
    """
    if workers == 0:
        pool, number = ViewPool(pool_folder), first
        while True:
            yield make_batch(pool, plan, number)
            number += 1
    yield from _from_workers(pool_folder, plan, first, workers)


def _from_workers(pool_folder: Path, plan: BatchPlan, first: int, workers: int) -> Iterator[Batch]:
    context = multiprocessing.get_context("spawn")
    lines = [context.Queue(AHEAD) for _ in range(workers)]
    processes = [
        context.Process(target=_work, args=(line, pool_folder, plan, first + k, workers), daemon=True)
        for k, line in enumerate(lines)
    ]
    for process in processes:
        process.start()
    try:
        turn = 0
        while True:
            try:
                yield lines[turn].get(timeout=PATIENCE_S)
            except queue.Empty as error:
                codes = [p.exitcode for p in processes]
                raise StreamError(f"no batch for {PATIENCE_S:.0f} s; exit codes of the workers: {codes}") from error
            turn = (turn + 1) % workers
    finally:
        for process in processes:
            process.terminate()


def _work(line: multiprocessing.Queue, pool_folder: Path, plan: BatchPlan, first: int, step: int) -> None:  # type: ignore[type-arg]
    quiet_opencv()
    line.cancel_join_thread()  # batches that nobody takes must not hold the end of the process up
    pool, number = ViewPool(pool_folder), first
    parent = multiprocessing.parent_process()
    while True:
        batch = make_batch(pool, plan, number)
        while True:
            try:
                line.put(batch, timeout=PATROL_S)
                break
            except queue.Full:
                if parent is None or not parent.is_alive():
                    return  # the training was killed: nobody will ever take this batch
        number += step
