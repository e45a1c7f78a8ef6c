"""Superpoints: Felzenszwalb's segmentation of the voxel graph, cut at blocks so that it stays local.

No edge crosses a 32-voxel block, hence a block's superpoints depend on its own voxels and normals only and
are redone alone when they change; the result equals a full run. Edge weight 1 - n_a . n_b, squared where the
surface is convex (ScanNet's Segmentator); small segments join a neighbour in weight order.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.geometry.components import find_root
from moss_ros.mapping.normals import NormalMap
from moss_ros.mapping.voxel_map import VoxelMap

_LEVELS = 8192  # edge weights are quantised, so that a counting sort orders them


class SuperpointMap:
    """``labels`` (N,) int32: superpoint id of each voxel, -1 where the voxel is not solid. Ids are stable."""

    def __init__(self, k: float, min_voxels: int) -> None:
        self._k = k
        self._min_voxels = min_voxels
        self.labels = np.zeros(0, np.int32)
        self._next_id = 0

    def update(self, voxels: VoxelMap, normals: NormalMap, changed: np.ndarray) -> int:
        """Redo the blocks that hold changed voxels (N,) bool; returns how many blocks that were."""
        labels = np.full(voxels.count, -1, np.int32)
        labels[: len(self.labels)] = self.labels
        self.labels = labels
        block = voxels.block
        dirty = np.zeros(voxels.index.block_count, bool)
        dirty[block[changed]] = True
        members = np.flatnonzero(dirty[block])
        members = members[np.argsort(block[members], kind="stable")]
        if not len(members):
            return 0
        starts = np.flatnonzero(np.r_[True, block[members][1:] != block[members][:-1]])
        bounds = np.append(starts, len(members))
        self._next_id = _update_blocks(
            members,
            bounds,
            voxels.position,
            normals.one_ring,
            voxels.neighbours,
            normals.solid,
            self._k,
            self._min_voxels,
            self.labels,
            self._next_id,
        )
        return len(starts)


@njit(cache=True, nogil=True)
def _update_blocks(members, bounds, position, normal, neighbours, solid, k, min_voxels, labels, next_id):
    local = np.full(len(labels), -1, np.int32)
    for i in range(len(bounds) - 1):
        ids = members[bounds[i] : bounds[i + 1]]
        new = segment_block(ids, position, normal, neighbours, solid, local, k, min_voxels)
        next_id = _keep_ids(ids, new, labels, next_id)
    return next_id


@njit(cache=True, nogil=True)
def segment_block(ids, position, normal, neighbours, solid, local, k, min_voxels):
    """Segment number 0..s-1 per voxel of one block (-1: not solid); local is scratch filled with -1."""
    n = len(ids)
    for i in range(n):
        local[ids[i]] = i
    ea = np.empty(13 * n, np.int32)
    eb = np.empty(13 * n, np.int32)
    level = np.empty(13 * n, np.int32)
    m = 0
    for i in range(n):
        a = ids[i]
        if not solid[a]:
            continue
        for o in range(13):
            b = neighbours[a, o]
            if b < 0 or local[b] < 0 or not solid[b]:
                continue
            t = 1.0 - (normal[a, 0] * normal[b, 0] + normal[a, 1] * normal[b, 1] + normal[a, 2] * normal[b, 2])
            t = max(t, 0.0)
            along = 0.0
            for c in range(3):
                along += normal[b, c] * (position[b, c] - position[a, c])
            if along > 0:
                t = t * t
            ea[m], eb[m], level[m] = i, local[b], min(4 * _LEVELS - 1, int(t * _LEVELS))
            m += 1
    for i in range(n):
        local[ids[i]] = -1
    order = _counting_sort(level[:m])
    parent = np.arange(n).astype(np.int32)
    size = np.ones(n, np.int32)
    threshold = np.full(n, k, np.float32)
    for e in order:
        a, b = find_root(parent, ea[e]), find_root(parent, eb[e])
        w = np.float32(level[e] / _LEVELS)
        if a != b and w <= threshold[a] and w <= threshold[b]:
            a, b = min(a, b), max(a, b)
            parent[b] = a
            size[a] += size[b]
            threshold[a] = w + k / size[a]
    for e in order:
        a, b = find_root(parent, ea[e]), find_root(parent, eb[e])
        if a != b and (size[a] < min_voxels or size[b] < min_voxels):
            a, b = min(a, b), max(a, b)
            parent[b] = a
            size[a] += size[b]
    number = np.full(n, -1, np.int32)
    out = np.full(n, -1, np.int32)
    count = 0
    for i in range(n):
        if not solid[ids[i]]:
            continue
        root = find_root(parent, i)
        if number[root] < 0:
            number[root] = count
            count += 1
        out[i] = number[root]
    return out


@njit(cache=True, nogil=True)
def _counting_sort(level):
    top = 0
    for x in level:
        top = max(top, x)
    start = np.zeros(top + 2, np.int64)
    for x in level:
        start[x + 1] += 1
    for i in range(top + 1):
        start[i + 1] += start[i]
    order = np.empty(len(level), np.int64)
    for e in range(len(level)):
        order[start[level[e]]] = e
        start[level[e]] += 1
    return order


@njit(cache=True, nogil=True)
def _keep_ids(ids, new, labels, next_id):
    """Write the new segments of one block into labels; each keeps the old id it overlaps most."""
    segments = 0
    for s in new:
        segments = max(segments, s + 1)
    pairs = np.empty((len(ids), 2), np.int64)
    m = 0
    for i in range(len(ids)):
        if new[i] >= 0 and labels[ids[i]] >= 0:
            pairs[m, 0], pairs[m, 1] = new[i], labels[ids[i]]
            m += 1
    key = pairs[:m, 0] * 4294967296 + pairs[:m, 1]
    key.sort()
    # Runs of equal keys are overlaps; the largest overlap chooses first.
    runs = np.empty((m, 2), np.int64)
    r = 0
    for i in range(m):
        if i == 0 or key[i] != key[i - 1]:
            runs[r, 0], runs[r, 1] = key[i], 0
            r += 1
        runs[r - 1, 1] += 1
    order = np.argsort(-runs[:r, 1], kind="mergesort")
    final = np.full(segments, -1, np.int64)
    for j in order:
        segment, old = runs[j, 0] >> 32, runs[j, 0] & 4294967295
        if final[segment] >= 0:
            continue
        taken = False
        for s in range(segments):
            if final[s] == old:
                taken = True
        if not taken:
            final[segment] = old
    for s in range(segments):
        if final[s] < 0:
            final[s] = next_id
            next_id += 1
    for i in range(len(ids)):
        labels[ids[i]] = final[new[i]] if new[i] >= 0 else -1
    return next_id
