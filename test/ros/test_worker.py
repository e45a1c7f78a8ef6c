"""The slot, and the thread that must never die."""

import threading
import time

import pytest
from fake_pipeline import FakePipeline

from moss_ros.config import from_flat
from moss_ros.ros.latest_slot import LatestSlot
from moss_ros.ros.worker import Worker
from moss_ros.source.drops import DropLog


def wait_for(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timeout"
        time.sleep(0.005)


@pytest.fixture
def parts():
    """Worker, pipeline, drops, snapshots published; queue of 2 frames, segmentation at any time."""
    pipeline, drops, published = FakePipeline(), DropLog(), []
    config = from_flat({"node.segment_period_s": 0.0, "node.waiting_frames": 2})
    worker = Worker(pipeline, config, drops, lambda frame: frame, published.append)
    yield worker, pipeline, drops, published
    assert worker.stop()


def block(worker):
    """Keep the worker busy until the event is set."""
    release, running = threading.Event(), threading.Event()
    worker.submit(lambda: (running.set(), release.wait(10)))
    assert running.wait(5)
    return release


def test_newest_wins():
    slot = LatestSlot()
    assert [slot.put(i) for i in range(3)] == [0, 1, 1]
    assert (slot.take(), slot.take(), len(slot)) == (2, None, 0)


def test_slot_of_three_keeps_the_newest_in_order():
    slot = LatestSlot(3)
    assert sum(slot.put(i) for i in range(5)) == 2
    assert [slot.take() for _ in range(4)] == [2, 3, 4, None]
    with pytest.raises(ValueError, match="capacity"):
        LatestSlot(0)


def test_slot_between_threads_loses_nothing_silently():
    slot, replaced, taken = LatestSlot(2), [], []
    giver = threading.Thread(target=lambda: replaced.extend(slot.put(i) for i in range(5000)))
    giver.start()
    while giver.is_alive() or len(slot):
        item = slot.take()
        if item is not None:
            taken.append(item)
    assert sum(replaced) + len(taken) == 5000 and taken == sorted(taken) and taken[-1] == 4999


def test_frames_are_mapped_then_segmented(parts):
    worker, pipeline, drops, published = parts
    worker.start()
    worker.put("a")
    wait_for(lambda: published)
    assert pipeline.frames == ["a"] and pipeline.segmented == [False]
    assert worker.stepped == 1 and worker.snapshot is published[-1] and "integrate" in worker.summary
    assert not drops.counts


def test_replaced_frames_are_counted_as_busy(parts):
    worker, pipeline, drops, _ = parts
    worker.start()
    release = block(worker)
    for frame in "abcde":
        worker.put(frame)
    release.set()
    wait_for(lambda: pipeline.frames == ["d", "e"])
    assert drops.counts == {"busy": 3} and "pixel_stride" in drops.messages["busy"]


def test_no_segmentation_before_the_period(parts):
    _, pipeline, drops, published = parts
    config = from_flat({"node.segment_period_s": 0.3})
    worker = Worker(pipeline, config, drops, lambda frame: frame, published.append)
    worker.start()
    worker.put("a")
    wait_for(lambda: pipeline.segmented)
    start = time.monotonic()
    worker.put("b")
    wait_for(lambda: len(pipeline.segmented) == 2)
    assert time.monotonic() - start > 0.2
    assert worker.stop()


def test_the_period_counts_from_the_start_and_waiting_frames_go_first(parts):
    _, pipeline, drops, _ = parts
    jobs = []
    step, segment = pipeline.step, pipeline.segment
    pipeline.step = lambda frame: jobs.append(frame) or step(frame)
    ended = []

    def slow_segment(full=False):
        jobs.append("segment")
        time.sleep(0.6)
        ended.append(time.monotonic())
        return segment(full)

    pipeline.segment = slow_segment
    config = from_flat({"node.segment_period_s": 0.5})
    worker = Worker(pipeline, config, drops, lambda frame: frame, lambda _: None)
    worker.start()
    worker.put("a")
    wait_for(lambda: "segment" in jobs)
    for frame in "bc":
        worker.put(frame)
    wait_for(lambda: len(ended) == 2)
    assert jobs == ["a", "segment", "b", "c", "segment"]
    assert ended[1] - ended[0] < 1.05  # 0.6 s and no period before it
    assert worker.stop()


def test_an_exception_is_counted_and_the_thread_lives_on(parts):
    worker, pipeline, drops, published = parts
    worker.start()
    worker.put(RuntimeError("bad frame"))
    worker.put("good")
    wait_for(lambda: published)
    assert pipeline.frames == ["good"] and drops.counts == {"step_failed": 1}
    assert "bad frame" in drops.messages["step_failed"] and worker.is_alive


def test_a_failing_segmentation_is_tried_again_after_the_next_keyframe(parts):
    worker, pipeline, drops, published = parts
    good = pipeline.segment
    pipeline.segment = lambda full=False: 1 / 0
    worker.start()
    worker.put("a")
    wait_for(lambda: drops.counts)
    pipeline.segment = good
    worker.put("b")
    wait_for(lambda: published)
    assert drops.counts == {"segment_failed": 1}


def test_a_frame_that_cannot_be_built_is_skipped(parts):
    worker, pipeline, _, published = parts
    worker._build = lambda frame: None if frame == "bad" else frame
    worker.start()
    worker.put("bad")
    worker.put("good")
    wait_for(lambda: published)
    assert pipeline.frames == ["good"] and worker.stepped == 1


def test_requests_run_in_the_thread_and_bring_their_errors_back(parts):
    worker, pipeline, _, _ = parts
    worker.start()
    assert worker.submit(lambda: threading.current_thread().name).result(5) == "moss_worker"
    with pytest.raises(ZeroDivisionError):
        worker.submit(lambda: 1 / 0).result(5)
    worker.submit(worker.reset).result(5)
    assert pipeline.resets == 1 and worker.snapshot is None


def test_requests_at_the_end_do_not_hang(parts):
    worker, *_ = parts
    worker.start()
    release = block(worker)
    waiting = worker.submit(lambda: 1)
    threading.Timer(0.1, release.set).start()
    assert worker.stop()
    for future in (waiting, worker.submit(lambda: 2)):
        with pytest.raises(RuntimeError, match="shutting down"):
            future.result(1)


def test_stop_before_start(parts):
    assert parts[0].stop()


def test_pause_keeps_the_map_and_serves_requests(parts):
    worker, pipeline, drops, published = parts
    worker.start()
    worker.pause()
    worker.put("a")
    assert worker.submit(lambda: 5).result(5) == 5
    assert pipeline.frames == [] and not published
    worker.pause()
    assert drops.counts == {"inactive": 1}
    worker.resume()
    worker.put("b")
    wait_for(lambda: published)
    assert pipeline.frames == ["b"]


def test_what_is_left_to_describe_is_described_when_nothing_else_waits(parts):
    worker, pipeline, _, published = parts
    pipeline.undescribed = 2
    segment = pipeline.segment

    def describe(limit=None):
        pipeline.described.append(limit)
        pipeline.undescribed -= 1
        return segment_snapshot

    segment_snapshot = segment()
    pipeline.segmented.clear()
    pipeline.describe = describe
    worker.start()
    worker.put("a")
    wait_for(lambda: len(published) == 3)  # the segmentation, and after each of the two keyframes read
    assert pipeline.described == [1, 1]
    assert pipeline.segmented == [False]


def test_without_anything_to_describe_a_snapshot_is_published_once(parts):
    worker, pipeline, _, published = parts
    worker.start()
    worker.put("a")
    wait_for(lambda: published)
    time.sleep(0.1)
    assert len(published) == 1
    assert pipeline.described == []
