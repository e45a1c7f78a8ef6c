"""The rival of the superpoint benchmark: the same segmentation in vectorised numpy, from the grid alone."""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.config import MappingConfig
from moss_ros.geometry.components import find_root
from moss_ros.geometry.voxels import NEIGHBOUR_OFFSETS
from moss_ros.mapping.voxel_map import VoxelMap

_LEVELS = 8192  # steps of an edge weight, as in moss_ros.mapping.superpoints


def numpy_superpoints(voxels: VoxelMap, mapping: MappingConfig) -> np.ndarray:
    """Label of each voxel, -1 where it is not solid."""
    ids = np.flatnonzero(voxels.solid())
    position, grid = voxels.position[ids].astype(np.float64), voxels.grid[ids].astype(np.int64)
    a, b = _edges(grid)
    normal = _normals(position, voxels.viewpoint[ids], a, b)
    block = voxels.block[ids]
    inside = block[a] == block[b]
    a, b = a[inside], b[inside]
    weight = np.maximum(1 - (normal[a] * normal[b]).sum(1), 0)
    convex = (normal[b] * (position[b] - position[a])).sum(1) > 0
    level = (np.where(convex, weight**2, weight) * _LEVELS).astype(np.int64)
    order = np.argsort(level, kind="stable")
    out = np.full(voxels.count, -1, np.int32)
    out[ids] = _felzenszwalb(
        len(ids),
        a[order],
        b[order],
        level[order] / _LEVELS,
        mapping.superpoint_k,
        mapping.superpoint_min_voxels,
    )
    return out


def _edges(grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of voxels that touch, each pair once, grouped by the first."""

    def key(cells: np.ndarray) -> np.ndarray:
        c = cells + 2**20
        return (c[:, 0] << 42) | (c[:, 1] << 21) | c[:, 2]

    keys = key(grid)
    order = np.argsort(keys)
    ordered = keys[order]
    first, second = [], []
    for offset in NEIGHBOUR_OFFSETS[:13]:
        wanted = key(grid + offset)
        place = np.minimum(np.searchsorted(ordered, wanted), len(ordered) - 1)
        found = np.flatnonzero(ordered[place] == wanted)
        first.append(found)
        second.append(order[place[found]])
    a, b = np.concatenate(first), np.concatenate(second)
    by_first = np.argsort(a, kind="stable")
    return a[by_first], b[by_first]


def _normals(position: np.ndarray, eye: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One-ring normals: moments by bincount over the edges, then a batched eigen-decomposition."""
    n = len(position)
    p = position - position.mean(0)
    upper = np.triu_indices(3)
    own = np.concatenate([np.ones((n, 1)), p, p[:, upper[0]] * p[:, upper[1]]], 1)
    total = np.stack([m + np.bincount(a, m[b], minlength=n) + np.bincount(b, m[a], minlength=n) for m in own.T], 1)
    mean = total[:, 1:4] / total[:, :1]
    covariance = np.empty((n, 3, 3))
    second = total[:, 4:] / total[:, :1] - mean[:, upper[0]] * mean[:, upper[1]]
    covariance[:, upper[0], upper[1]] = second
    covariance[:, upper[1], upper[0]] = second
    normal = np.linalg.eigh(covariance)[1][:, :, 0]
    away = (normal * (eye - position)).sum(1) < 0
    return np.where(away[:, None], -normal, normal)


@njit(cache=True)
def _felzenszwalb(n, a, b, weight, k, min_voxels):
    parent = np.arange(n).astype(np.int32)
    size = np.ones(n, np.int32)
    threshold = np.full(n, k, np.float32)
    for merging_small in range(2):
        for e in range(len(a)):
            i, j = find_root(parent, a[e]), find_root(parent, b[e])
            if i == j:
                continue
            w = np.float32(weight[e])
            join = w <= threshold[i] and w <= threshold[j]
            if merging_small:
                join = size[i] < min_voxels or size[j] < min_voxels
            if join:
                i, j = min(i, j), max(i, j)
                parent[j] = i
                size[i] += size[j]
                threshold[i] = w + k / size[i]
    for i in range(n):
        parent[i] = find_root(parent, i)
    return parent
