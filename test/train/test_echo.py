"""Batches that are used more than once: different ones joined, new ones taken in, errors of the stream passed on."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from moss_ros.train import batches as mask_batches
from moss_ros.train.echo import echoed


def test_different_batches_are_joined_and_new_ones_come_in() -> None:
    allowed = threading.Semaphore(4)

    def numbers() -> Iterator[int]:
        for n in itertools.count():
            allowed.acquire()
            yield n

    drawn = echoed(numbers(), tuple, count=2, seed=0, keep=6)
    early = [next(drawn) for _ in range(20)]
    assert all(len(set(pair)) == 2 for pair in early)
    assert set(itertools.chain(*early)) == {0, 1, 2, 3}  # used more than once, all of them
    allowed.release(20)
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


def test_mask_batches_are_joined_in_order() -> None:
    def batch(value: int) -> mask_batches.Batch:
        ids = np.full((2, 4, 5), value, np.uint8)
        return mask_batches.Batch(np.full((2, 11, 4, 5), value, np.float16), ids, ids > 1)

    whole = mask_batches.joined([batch(1), batch(2)])
    assert whole.channels.shape == (4, 11, 4, 5)
    assert whole.instance[:, 0, 0].tolist() == [1, 1, 2, 2]
    assert whole.measured[:, 0, 0].tolist() == [False, False, True, True]
