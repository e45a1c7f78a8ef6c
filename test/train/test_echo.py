"""Batches that are used more than once: different ones joined, new ones taken in, errors of the stream passed on."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from moss_ros.train.echo import echoed


def test_different_batches_are_joined_and_new_ones_come_in() -> None:
    allowed, emptied = threading.Semaphore(4), threading.Event()

    def numbers() -> Iterator[int]:
        for n in itertools.count():
            if n == 24:
                emptied.set()
            allowed.acquire()
            yield n

    drawn = echoed(numbers(), tuple, count=2, seed=0, keep=6)
    early = [next(drawn) for _ in range(20)]
    assert all(len(set(pair)) == 2 for pair in early)
    assert set(itertools.chain(*early)) == {0, 1, 2, 3}  # used more than once, all of them
    allowed.release(20)
    while not emptied.wait(0.01):
        next(drawn)
    late = list(itertools.chain(*(next(drawn) for _ in range(60))))[60:]
    assert min(late) >= 24 - 7  # only the last ones are kept (one may be on its way)
    drawn.close()


def test_the_error_of_a_stream_is_passed_on() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        next(echoed(broken(), tuple, count=1, seed=0, keep=4))


def test_a_stream_that_ends_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="ended"):
        next(echoed(iter([1]), tuple, count=2, seed=0, keep=4))
