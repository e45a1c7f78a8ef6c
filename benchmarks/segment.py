"""segment() on a whole home: in full with 48 keyframes, and when exactly one keyframe is new."""

from __future__ import annotations

import copy
import gc
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from benchmarks.inputs import LIVING_KITCHEN, configuration, recording
from benchmarks.table import Bar, Table
from moss_ros.pipeline import Pipeline
from moss_ros.records import Frame
from moss_ros.timings import Timings
from moss_ros.warm_up import warm_up

# About every fourth frame becomes a keyframe; the range keeps the map at 250 000 to 300 000 solid voxels.
_CONFIGURATION = {
    "mapping__keyframe_distance_m": 0.2,
    "mapping__keyframe_angle_deg": 17.0,
    "mapping__keyframe_new_surface": 1.0,
    "input__depth_max_m": 3.0,
    "language__enabled": "never",  # its models cannot be copied, and describe() is not measured here
}
_HELD_BACK = 16  # frames kept for the incremental case
_BASELINE = "segment(full=True) of the same map from nothing"


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians of segment()."""

    wall_ms: float
    cpu_ms: float  # of all threads: what a quiet machine would come close to
    stages_ms: dict[str, float]

    def add_to(self, table: Table, what: str, bar: Bar | None, note: str = "") -> None:
        """One row for the whole and one per stage."""
        table.add(what, self.wall_ms, "ms", bar, f"CPU {self.cpu_ms:.0f} ms" + (f"; {note}" if note else ""))
        for name, milliseconds in self.stages_ms.items():
            table.add(f"  {name}", milliseconds, "ms")


def run(quick: bool = False) -> Table:
    """Medians per stage over copies of one pipeline, so that every repeat starts from the same state."""
    frames = recording(LIVING_KITCHEN, limit=60 if quick else None)
    repeats = 1 if quick else 3
    warm_up()
    pipeline = Pipeline(configuration(LIVING_KITCHEN, **_CONFIGURATION))
    remaining = iter(frames)
    for frame in islice(remaining, frames.frame_count - _HELD_BACK):
        pipeline.step(frame)
    full = _measure(pipeline, repeats, full=True)
    solid, keyframes = int(pipeline.voxels.solid().sum()), len(pipeline.keyframes.keyframes)
    found = len(pipeline.segment(full=True).instances)
    stepped = _until_keyframe(pipeline, remaining)
    one = _measure(pipeline, repeats, full=False)
    settled = _measure(_settled(pipeline), repeats, full=False)
    setting = f"{frames.label}; {solid} solid voxels, {keyframes} keyframes, {found} instances"
    table = Table("segment", setting, _BASELINE)
    full.add_to(table, "in full", Bar(2000))
    one.add_to(table, "one keyframe new", Bar(300), f"after {stepped} more frames")
    settled.add_to(table, "nothing new", None, "the floor: what is redone although nothing changed")
    table.add("in full / one keyframe new", full.wall_ms / one.wall_ms, "x")
    return table


def _measure(pipeline: Pipeline, repeats: int, full: bool) -> Cost:
    """Medians after one run that warms up."""
    runs = [_once(pipeline, full) for _ in range(repeats + 1)][1:]
    stages = {name: statistics.median(r.stages_ms[name] for r in runs) for name in runs[0].stages_ms}
    return Cost(statistics.median(r.wall_ms for r in runs), statistics.median(r.cpu_ms for r in runs), stages)


def _once(pipeline: Pipeline, full: bool) -> Cost:
    pipeline.keyframes.settle()
    trial = copy.deepcopy(pipeline)
    trial.timings = Timings()
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    trial.segment(full=full)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    stages = {name: stage["median_ms"] for name, stage in trial.timings.summary().items()}
    return Cost(wall * 1e3, cpu * 1e3, stages)


def _until_keyframe(pipeline: Pipeline, frames: Iterator[Frame]) -> int:
    """Step until one keyframe was accepted; returns how many frames that took."""
    stepped = 0
    for frame in frames:
        stepped += 1
        if pipeline.step(frame).is_keyframe:
            break
    return stepped


def _settled(pipeline: Pipeline) -> Pipeline:
    """A copy in which no keyframe is stale any more."""
    pipeline.keyframes.settle()
    settled = copy.deepcopy(pipeline)
    settled.segment(full=True)
    settled.segment(full=True)
    return settled
