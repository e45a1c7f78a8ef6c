"""The one thread that owns the pipeline: frames, segmentations and requests run here, one after another."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, Protocol

import numpy as np

from moss_ros.config import MossConfig
from moss_ros.instances.instance_map import LoggedEvent
from moss_ros.questions.query import QueryAnswer
from moss_ros.questions.query_limits import QueryRequest
from moss_ros.records import Frame, Snapshot
from moss_ros.ros.latest_slot import LatestSlot
from moss_ros.source.drops import DropLog
from moss_ros.source.matcher import Match

_log = logging.getLogger(__name__)
_OVERDUE = 2.0  # after so many periods a segmentation goes before waiting frames
_STOP_S = 20.0


class StepResult(Protocol):
    """What the worker reads of a step report."""

    @property
    def is_keyframe(self) -> bool:
        """Whether the frame was kept."""
        ...


class IdentityLog(Protocol):
    """What the node reads of the instances."""

    def take_events(self) -> list[LoggedEvent]:
        """The lines of the log since the last call."""
        ...

    def lose_all(self, stamp_ns: int) -> None:
        """Log the end of every instance."""
        ...


class MappingPipeline(Protocol):
    """What the worker calls."""

    timings: Any

    @property
    def instances(self) -> IdentityLog:
        """The instances, renewed by reset."""
        ...

    def step(self, frame: Frame) -> StepResult:
        """Add a frame."""
        ...

    def segment(self, full: bool = False) -> Snapshot:
        """Find the instances."""
        ...

    def describe(self, limit: int | None = None) -> Snapshot:
        """Name the instances from views in at most so many keyframes."""
        ...

    @property
    def undescribed(self) -> int:
        """Keyframes that describe still has to read, as far as known."""
        ...

    def reset(self) -> None:
        """Forget the map."""
        ...

    def cloud(self) -> Any:
        """The map for display."""
        ...

    def evidence_jpeg(self, instance_id: int) -> bytes | None:
        """Best view of an instance."""
        ...

    def find(self, request: QueryRequest) -> QueryAnswer:
        """Answer a question, in any thread."""
        ...

    def embed_image(self, color_rgb: np.ndarray) -> np.ndarray:
        """Embedding of an example image, in any thread."""
        ...

    def relabel(self, vocabulary: str | Sequence[str], min_score: float) -> tuple[Snapshot, int]:
        """Name the instances in another vocabulary."""
        ...


class Worker:
    """Runs until stopped. An exception of a frame or segmentation is counted and logged; the thread lives on."""

    def __init__(
        self,
        pipeline: MappingPipeline,
        config: MossConfig,
        drops: DropLog,
        build: Callable[[Match], Frame | None],
        on_snapshot: Callable[[Snapshot], None],
    ) -> None:
        self.pipeline = pipeline
        self.snapshot: Snapshot | None = None  # the last one
        self.summary: dict[str, dict[str, float]] = {}  # latencies of the stages, renewed after each segmentation
        self.stepped = 0  # frames that went into the map
        self._config = config
        self._drops = drops
        self._build = build
        self._on_snapshot = on_snapshot
        self._slot: LatestSlot[Match] = LatestSlot(config.node.waiting_frames)
        self._requests: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._wake = Event()
        self._stopping = False
        self._paused = False
        self._pending = False  # a keyframe came since the last segmentation
        self._undescribed = False  # instances may be without views or names
        self._started_s = -1e9  # of the last segmentation; its period counts from here, as in a replay
        self._ended_s = -1e9
        self._thread = Thread(target=self._run, name="moss_worker")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def pause(self) -> None:
        """Map and segment no more until resume; requests are still served. Waiting frames are counted as dropped."""
        self._paused = True
        waiting = self._slot.clear()
        if waiting:
            self._drops.add("inactive", "the node was deactivated while these images waited", waiting)

    def resume(self) -> None:
        """Go on where pause ended."""
        self._paused = False
        self._wake.set()

    def put(self, match: Match) -> None:
        """Hand over a frame to come; when the worker lags, the oldest waiting one is dropped as "busy"."""
        replaced = self._slot.put(match)
        if replaced:
            self._drops.add(
                "busy",
                "mapping is slower than the camera: raise mapping.pixel_stride or mapping.voxel_size_m, "
                "raise node.segment_period_s, or lower the camera's rate",
                replaced,
            )
        self._wake.set()

    def submit(self, call: Callable[[], Any]) -> Future[Any]:
        """Run a call in the worker's thread, before the next frame."""
        future: Future[Any] = Future()
        if self._stopping:
            future.set_exception(RuntimeError("the node is shutting down"))
            return future
        self._requests.put((future, call))
        self._wake.set()
        return future

    def reset(self) -> None:
        """Forget the map and the waiting frames. Runs in the worker's thread (submit it)."""
        self._slot.clear()
        self.pipeline.reset()
        self.snapshot = None
        self._pending = self._undescribed = False

    def segment(self, full: bool = False) -> Snapshot:
        """Segment now and publish; in full: name everything, too. Runs in the worker's thread (submit it)."""
        self._started_s = time.monotonic()
        try:
            snapshot = self.pipeline.segment(full=full)
            if full:
                snapshot = self.pipeline.describe()
        finally:
            self._ended_s = time.monotonic()
        self._pending = False
        self._undescribed = self.pipeline.undescribed > 0
        self._show(snapshot)
        return snapshot

    def relabel(self, vocabulary: str | Sequence[str], min_score: float) -> int:
        """Name everything in another vocabulary and publish; returns how many labels changed. Runs in the worker's
        thread (submit it)."""
        snapshot, changed = self.pipeline.relabel(vocabulary, min_score)
        self._show(snapshot)
        return changed

    def stop(self) -> bool:
        """End the thread after what it is doing now; False when it does not come back."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_S)
        while (request := self._next_request()) is not None:
            request[0].set_exception(RuntimeError("the node is shutting down"))
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait(self._idle_s())
            self._wake.clear()
            while not self._stopping and self._one_job():
                pass

    def _idle_s(self) -> float | None:
        """How long to sleep when nothing comes: until the next segmentation is allowed."""
        if self._paused or not self._pending:
            return None
        return max(0.0, self._started_s + self._config.node.segment_period_s - time.monotonic())

    def _one_job(self) -> bool:
        """The most urgent job; False when there is none."""
        request = self._next_request()
        if request is not None:
            _fulfil(*request)
            return True
        if self._paused:
            return False
        # From its end: one that takes long must not follow on itself while frames wait.
        overdue = self._pending and self._passed(self._ended_s, _OVERDUE)
        match = None if overdue else self._slot.take()
        if match is not None:
            self._guarded("step_failed", lambda: self._step(match))
            return True
        if self._pending and self._passed(self._started_s, 1.0):
            self._pending = False  # also when it fails: the next keyframe tries again
            self._guarded("segment_failed", self.segment)
            return True
        if self._undescribed:
            self._undescribed = False  # also when it fails: the next segmentation tries again
            self._guarded("describe_failed", self._describe)
            return True
        return False

    def _describe(self) -> None:
        snapshot = self.pipeline.describe(self._config.language.keyframes_per_pass)
        self._undescribed = self.pipeline.undescribed > 0
        self._show(snapshot)

    def _show(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.summary = self.pipeline.timings.summary()
        self._on_snapshot(snapshot)

    def _passed(self, since_s: float, periods: float) -> bool:
        return time.monotonic() - since_s >= periods * self._config.node.segment_period_s

    def _step(self, match: Match) -> None:
        frame = self._build(match)
        if frame is not None:
            self._pending |= self.pipeline.step(frame).is_keyframe
            self.stepped += 1

    def _next_request(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        try:
            return self._requests.get_nowait()
        except Empty:
            return None

    def _guarded(self, reason: str, call: Callable[[], Any]) -> None:
        try:
            call()
        except Exception as error:  # the thread must live: a robot would lose its map
            first = reason not in self._drops.counts
            self._drops.add(reason, f"{type(error).__name__}: {error}; please report it with the log")
            if first:
                _log.exception("%s", reason)


def _fulfil(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except Exception as error:  # goes to whoever waits
        future.set_exception(error)
