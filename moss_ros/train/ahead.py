"""Batches made ahead by worker processes, delivered in order."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Callable, Generator
from typing import Any

PATIENCE_S = 900.0
PATROL_S = 5.0  # how often a waiting worker looks whether the training is still there


class StreamError(RuntimeError):
    """A worker died or hangs."""


def made_ahead(
    open_source: Callable[..., Callable[[int], Any]], args: tuple[Any, ...], first: int, workers: int, ahead: int
) -> Generator[Any, None, None]:
    """Batches first, first + 1, ... without end; workers 0 makes them in this process.

    open_source(*args) is called in each worker and gives the function that makes batch number n; ahead: batches that
    each worker keeps ready. Raises StreamError when a worker dies.
    """
    if workers == 0:
        make, number = open_source(*args), first
        while True:
            yield make(number)
            number += 1
    yield from _from_workers(open_source, args, first, workers, ahead)


def _from_workers(
    open_source: Callable[..., Callable[[int], Any]], args: tuple[Any, ...], first: int, workers: int, ahead: int
) -> Generator[Any, None, None]:
    context = multiprocessing.get_context("spawn")
    lines: list[Any] = [context.Queue(ahead) for _ in range(workers)]
    processes = [
        context.Process(target=_work, args=(line, open_source, args, first + k, workers), daemon=True)
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


def _work(
    line: Any, open_source: Callable[..., Callable[[int], Any]], args: tuple[Any, ...], first: int, step: int
) -> None:
    line.cancel_join_thread()  # batches that nobody takes must not hold the end of the process up
    make, number = open_source(*args), first
    parent = multiprocessing.parent_process()
    while True:
        batch = make(number)
        while True:
            try:
                line.put(batch, timeout=PATROL_S)
                break
            except queue.Full:
                if parent is None or not parent.is_alive():
                    return  # the training was killed: nobody will ever take this batch
        number += step
