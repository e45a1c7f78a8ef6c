"""Superpoints of a 167k-voxel map: in full, per dirty block, and incremental equal to full."""

from __future__ import annotations

import time

import numpy as np
import scipy.sparse as sp

from benchmarks.inputs import LIVING_KITCHEN, configuration, recording
from benchmarks.numpy_superpoints import numpy_superpoints
from benchmarks.table import Bar, Table
from benchmarks.timing import interleaved_seconds
from moss_ros.config import MappingConfig
from moss_ros.mapping.normals import NormalMap
from moss_ros.mapping.superpoints import SuperpointMap
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.records import Frame
from moss_ros.warm_up import warm_up

_VOXELS = 167_000
_BASELINE = "vectorised numpy (sorted keys, bincount moments, eigh, argsort) with a numba union-find"


class Surface:
    """Normals and superpoints of one voxel map, updated together."""

    def __init__(self, config: MappingConfig) -> None:
        self.normals = NormalMap()
        self.superpoints = SuperpointMap(config.superpoint_k, config.superpoint_min_voxels)
        self.seconds = np.zeros(2)  # of the last update: normals, superpoints

    def update(self, voxels: VoxelMap, touched: np.ndarray) -> int:
        """Bring both up to date; returns how many blocks were segmented."""
        start = time.perf_counter()
        changed = self.normals.update(voxels, touched)
        middle = time.perf_counter()
        blocks = self.superpoints.update(voxels, self.normals, changed)
        self.seconds = np.array([middle - start, time.perf_counter() - middle])
        return blocks


def run(quick: bool = False) -> Table:
    """Times on the map when it first holds 167 000 solid voxels."""
    repeats = 2 if quick else 5
    config = configuration(LIVING_KITCHEN)
    frames = recording(LIVING_KITCHEN, limit=30 if quick else None)
    warm_up()
    voxels, surface, last = _build(frames, config.mapping, config.input, 20_000 if quick else _VOXELS)
    everything = np.ones(voxels.count, bool)
    halves: list[np.ndarray] = []

    def ours() -> None:
        fresh = Surface(config.mapping)
        fresh.update(voxels, everything)
        halves.append(fresh.seconds)

    numpy_labels: list[np.ndarray] = []
    seconds = interleaved_seconds(
        {"ours": ours, "numpy": lambda: numpy_labels.append(numpy_superpoints(voxels, config.mapping))},
        repeats,
    )
    full = Surface(config.mapping)
    full.update(voxels, everything)
    labels = full.superpoints.labels
    normals_s, superpoints_s = np.median(halves[1:], axis=0)
    solid = int(voxels.solid().sum())
    table = Table(
        "superpoints",
        f"{frames.label}; {solid} solid voxels in {len(everything)} blocks, "
        f"{len(np.unique(labels[labels >= 0]))} superpoints",
        _BASELINE,
    )
    table.add("in full: normals and superpoints", seconds["ours"], "s", Bar(0.5), "normals with one and two rings")
    table.add("  normals", normals_s, "s")
    table.add("  superpoints", superpoints_s, "s")
    table.add("numpy in full", seconds["numpy"], "s", note="normals with one ring")
    table.add("faster than numpy", seconds["numpy"] / seconds["ours"], "x")
    table.add("agreement with numpy", rand_index(labels, numpy_labels[-1]), "ARI", Bar(0.99, at_least=True))
    _dirty_rows(table, voxels, surface, last, repeats)
    same = np.array_equal(canonical(surface.superpoints.labels), canonical(_full(voxels, config.mapping)))
    table.add("incremental == full", float(same), "", Bar(1, at_least=True), "updated after every 4th frame")
    return table


def _build(frames, mapping, depth_range, target: int) -> tuple[VoxelMap, Surface, Frame]:
    """Integrate until the map has target solid voxels, the surface kept up to date on the way."""
    voxels, surface = VoxelMap(mapping, depth_range), Surface(mapping)
    for number, frame in enumerate(frames):
        voxels.integrate(frame)
        if number % 4 == 3:
            surface.update(voxels, voxels.take_touched())
            if np.count_nonzero(surface.normals.solid) >= target:
                break
    surface.update(voxels, voxels.take_touched())
    return voxels, surface, frame


def _full(voxels: VoxelMap, mapping: MappingConfig) -> np.ndarray:
    fresh = Surface(mapping)
    fresh.update(voxels, np.ones(voxels.count, bool))
    return fresh.superpoints.labels


def _dirty_rows(table: Table, voxels: VoxelMap, surface: Surface, frame: Frame, repeats: int) -> None:
    """One more frame, and the fullest block alone."""
    cost, redone = [], []
    for _ in range(repeats + 1):
        voxels.integrate(frame)
        touched = voxels.take_touched()
        redone.append((int(touched.sum()), surface.update(voxels, touched)))
        cost.append(surface.seconds * 1e3)
    normals_ms, superpoints_ms = np.median(cost[1:], axis=0)
    touched_count, blocks = redone[-1]
    table.add(
        "after one more frame",
        normals_ms + superpoints_ms,
        "ms",
        note=f"{touched_count} voxels touched, {blocks} blocks redone",
    )
    table.add("  per dirty block", (normals_ms + superpoints_ms) / blocks, "ms", Bar(10), "normals and superpoints")
    table.add("  superpoints per dirty block", superpoints_ms / blocks, "ms")
    fullest = voxels.block == np.bincount(voxels.block).argmax()
    cost = []
    for _ in range(repeats + 1):
        blocks = surface.update(voxels, fullest)
        cost.append(surface.seconds * 1e3)
    normals_ms, superpoints_ms = np.median(cost[1:], axis=0)
    table.add(
        "the fullest block touched",
        normals_ms + superpoints_ms,
        "ms",
        note=f"normals {normals_ms:.1f}, superpoints {superpoints_ms:.1f}; {blocks} blocks redone",
    )


def canonical(labels: np.ndarray) -> np.ndarray:
    """The same partition with numbers in order of appearance; -1 stays."""
    _, first, number = np.unique(labels, return_index=True, return_inverse=True)
    return np.where(labels < 0, -1, first[number])


def rand_index(a: np.ndarray, b: np.ndarray) -> float:
    """Adjusted Rand index of two partitions; rows that are negative in both are left out."""
    both = (a >= 0) | (b >= 0)
    a, b = np.unique(a[both], return_inverse=True)[1], np.unique(b[both], return_inverse=True)[1]
    joint = sp.coo_matrix((np.ones(len(a)), (a, b))).tocsr()
    pairs = [float((n * (n - 1) / 2).sum()) for n in (joint.data, np.bincount(a), np.bincount(b))]
    chance = pairs[1] * pairs[2] / (len(a) * (len(a) - 1) / 2)
    return (pairs[0] - chance) / ((pairs[1] + pairs[2]) / 2 - chance)
