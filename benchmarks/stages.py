"""Every stage on the real kitchen as the live node runs it, and the real-time factor."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from benchmarks.inputs import REAL_KITCHEN, Recording, configuration, recording
from benchmarks.table import Bar, Table
from moss_ros.config import MossConfig
from moss_ros.geometry.projection import back_project
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.pipeline import Pipeline
from moss_ros.records import Frame
from moss_ros.timings import Timings
from moss_ros.warm_up import warm_up

_SEGMENT_EVERY = 10
_BASELINE_EVERY = 10
_BASELINE = "a numpy voxel grid (np.unique of keys, np.add.at) fed the same pixels, for integrate()"


class NumpyVoxelGrid:
    """Sums of position and colour per voxel the plain way: sorted keys, merged on every frame."""

    def __init__(self, config: MossConfig) -> None:
        self._config = config.mapping
        self._filter = VoxelMap(config.mapping, config.input)
        self._keys = np.zeros(0, np.int64)
        self._sums = np.zeros((0, 7))

    def integrate(self, frame: Frame) -> None:
        """Add one frame."""
        ok = self._filter.reliable(frame.depth_m)
        points, pixels = back_project(
            frame.depth_m, ok, frame.world_from_camera, frame.depth_camera.matrix, self._config.pixel_stride
        )
        grid = np.floor(points / self._config.voxel_size_m).astype(np.int64) + 2**20
        keys, inverse = np.unique((grid[:, 0] << 42) | (grid[:, 1] << 21) | grid[:, 2], return_inverse=True)
        sums = np.zeros((len(keys), 7))
        color = frame.color_rgb.reshape(-1, 3)[pixels]
        np.add.at(sums, inverse, np.concatenate([np.ones((len(points), 1)), points, color], 1))
        merged, where = np.unique(np.concatenate([self._keys, keys]), return_inverse=True)
        total = np.zeros((len(merged), 7))
        total[where[: len(self._keys)]] = self._sums
        total[where[len(self._keys) :]] += sums
        self._keys, self._sums = merged, total


def run(quick: bool = False) -> Table:
    """Median and 95th percentile of each stage; segment() every tenth frame and in full at the end."""
    frames = recording(REAL_KITCHEN, limit=60 if quick else None)
    config = configuration(REAL_KITCHEN)
    warm_up()
    pipeline, plain, table = Pipeline(config), NumpyVoxelGrid(config), Table("stages", "", _BASELINE)
    extra = Timings()
    spent = _feed(frames, pipeline, plain, extra)
    stages = pipeline.timings.summary()
    start = time.perf_counter()
    pipeline.segment(full=True)
    full_ms = (time.perf_counter() - start) * 1e3
    table.setting = (
        f"{frames.label}; {len(pipeline.keyframes.keyframes)} keyframes, {pipeline.voxels.count} voxels, "
        f"segment() every {_SEGMENT_EVERY} frames"
    )
    for name, stage in stages.items():
        bar = Bar(30) if name == "integrate" else None
        table.add(name, stage["median_ms"], "ms", bar, f"p95 {stage['p95_ms']:.1f}, n {stage['n']}")
    whole = extra.summary()
    segment, numpy_grid = whole["segment"], whole["numpy voxel grid"]
    table.add(
        "segment() altogether",
        segment["median_ms"],
        "ms",
        note=f"p95 {segment['p95_ms']:.1f}, n {segment['n']}",
    )
    table.add("segment(full=True) at the end", full_ms, "ms")
    table.add("read and decode a frame", whole["read"]["median_ms"], "ms", note="not part of the pipeline")
    table.add("numpy voxel grid", numpy_grid["median_ms"], "ms", note=f"every {_BASELINE_EVERY}th frame")
    table.add("integrate faster than numpy", numpy_grid["median_ms"] / stages["integrate"]["median_ms"], "x")
    table.add(
        "real-time factor",
        spent["recorded"] / spent["pipeline"],
        "x",
        Bar(1, at_least=True),
        f"{spent['recorded']:.1f} s recorded, {spent['pipeline']:.1f} s in step() and segment()",
    )
    return table


def _feed(frames: Recording, pipeline: Pipeline, plain: NumpyVoxelGrid, extra: Timings) -> dict[str, float]:
    """Run all frames; returns seconds recorded and seconds spent in the pipeline."""
    spent, first_ns, last_ns = 0.0, 0, 0
    for number, frame in enumerate(_timed(frames, extra), 1):
        start = time.perf_counter()
        pipeline.step(frame)
        if number % _SEGMENT_EVERY == 0:
            with extra.stage("segment"):
                pipeline.segment()
        spent += time.perf_counter() - start
        first_ns, last_ns = first_ns or frame.stamp_ns, frame.stamp_ns
        if number % _BASELINE_EVERY == 0:
            with extra.stage("numpy voxel grid"):
                plain.integrate(frame)
    return {"recorded": (last_ns - first_ns) / 1e9, "pipeline": spent}


def _timed(frames: Recording, timings: Timings) -> Iterator[Frame]:
    iterator = iter(frames)
    while True:
        with timings.stage("read"):
            frame = next(iterator, None)
        if frame is None:
            return
        yield frame
