"""Work beside the caller: in order, errors where the result is wanted, copies without the thread."""

import copy
import threading
from collections.abc import Iterator

import pytest

from moss_ros.one_worker import OneWorker, read_ahead


def test_work_is_done_in_order_beside_the_caller() -> None:
    worker, gate, done = OneWorker(), threading.Event(), []
    first = worker.submit(lambda: (gate.wait(10), done.append(1)))
    second = worker.submit(lambda: (done.append(2), threading.current_thread().name)[1])
    assert done == []
    gate.set()
    assert second.result(10) != threading.current_thread().name and first.done()
    assert done == [1, 2]


def test_who_brings_too_much_waits() -> None:
    worker, gate = OneWorker(most=2), threading.Event()
    first = worker.submit(lambda: gate.wait(10))
    worker.submit(lambda: None)
    threading.Timer(0.05, gate.set).start()
    worker.submit(lambda: None)
    assert first.done()


def test_a_copy_has_a_thread_of_its_own() -> None:
    worker = OneWorker()
    worker.submit(lambda: 1).result(10)
    assert copy.deepcopy(worker).submit(lambda: 2).result(10) == 2


def test_things_read_ahead_are_the_same() -> None:
    assert list(read_ahead(range(10))) == list(range(10))
    assert list(read_ahead([], ready=2)) == []


def test_no_more_is_read_than_wanted() -> None:
    made = []

    def numbers() -> Iterator[int]:
        for n in range(100):
            made.append(n)
            yield n

    ahead = read_ahead(numbers(), ready=3)
    assert [next(ahead), next(ahead)] == [0, 1]
    assert len(made) <= 2 + 3


def test_errors_come_when_it_is_their_turn() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("the file ends here")

    ahead = read_ahead(broken())
    assert next(ahead) == 1
    with pytest.raises(OSError, match="ends here"):
        next(ahead)
