"""Batches made ahead by one worker process, delivered in order."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from moss_ros.train.pictures.batches import Batch, BatchPlan, Source

AHEAD = 6  # batches kept ready
PATIENCE_S = 900.0
PATROL_S = 5.0  # how often a waiting worker looks whether the training is still there
REFRESH_BATCHES = 25  # new homes are taken in so often


class StreamError(RuntimeError):
    """The worker died or hangs."""


def batches(objects: Path, homes: Path, plan: BatchPlan, first: int) -> Iterator[Batch]:
    """Batches first, first + 1, ... without end. Raises StreamError when the worker dies."""
    context = multiprocessing.get_context("spawn")
    line = context.Queue(AHEAD)
    worker = context.Process(target=_work, args=(line, objects, homes, plan, first), daemon=True)
    worker.start()
    try:
        while True:
            try:
                yield line.get(timeout=PATIENCE_S)
            except queue.Empty as error:
                raise StreamError(
                    f"no batch for {PATIENCE_S:.0f} s; exit code of the worker: {worker.exitcode}"
                ) from error
    finally:
        worker.terminate()


def _work(line: Any, objects: Path, homes: Path, plan: BatchPlan, first: int) -> None:
    cv2.setNumThreads(1)
    line.cancel_join_thread()  # batches that nobody takes must not hold the end of the process up
    source, number = Source(objects, homes), first
    parent = multiprocessing.parent_process()
    while True:
        if number % REFRESH_BATCHES == 0 and source.homes is not None:
            source.homes.refresh()
        batch = source.batch(plan, number)
        while True:
            try:
                line.put(batch, timeout=PATROL_S)
                break
            except queue.Full:
                if parent is None or not parent.is_alive():
                    return  # the training was killed: nobody will ever take this batch
        number += 1
