"""Connected components on the 26-neighbour table of the voxel map (union-find)."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def find_root(parent: np.ndarray, i: int) -> int:
    """Root of i, with path halving."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True)
def connected_components(neighbours: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, int]:
    """Components of neighbouring voxels of the same positive group.

    neighbours (N, 26) int32, group (N,) int32. Returns labels (N,) int32, 0 where group <= 0 and otherwise
    1..n in order of the lowest voxel id, and n.
    """
    n = len(group)
    parent = np.arange(n).astype(np.int32)
    for a in range(n):
        if group[a] <= 0:
            continue
        for o in range(13):  # the other 13 are seen from the other side
            b = neighbours[a, o]
            if b >= 0 and group[b] == group[a]:
                _unite(parent, a, b)
    return _labels(parent, group)


@njit(cache=True, nogil=True)
def level_components(neighbours: np.ndarray, keep: np.ndarray, z: np.ndarray, step: float) -> tuple[np.ndarray, int]:
    """Components of kept neighbouring voxels whose heights z differ by less than step."""
    n = len(keep)
    group = keep.astype(np.int32)
    parent = np.arange(n).astype(np.int32)
    for a in range(n):
        if not keep[a]:
            continue
        for o in range(13):
            b = neighbours[a, o]
            if b >= 0 and keep[b] and abs(z[a] - z[b]) < step:
                _unite(parent, a, b)
    return _labels(parent, group)


@njit(cache=True, nogil=True)
def _unite(parent: np.ndarray, a: int, b: int) -> None:
    ra, rb = find_root(parent, a), find_root(parent, b)
    if ra < rb:
        parent[rb] = ra
    elif rb < ra:
        parent[ra] = rb


@njit(cache=True, nogil=True)
def _labels(parent: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, int]:
    labels = np.zeros(len(parent), np.int32)
    count = 0
    for i in range(len(parent)):
        if group[i] <= 0:
            continue
        root = find_root(parent, i)  # the root is the lowest id of its component, so it comes first
        if labels[root] == 0:
            count += 1
            labels[root] = count
        labels[i] = labels[root]
    return labels, count


@njit(cache=True, nogil=True)
def sort_by_label(labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Voxels of label l are order[ends[l - 1] : ends[l]], ascending; label 0 is left out."""
    ends = np.zeros(count + 2, np.int64)
    for x in labels:
        if x > 0:
            ends[x + 1] += 1
    for i in range(1, count + 2):
        ends[i] += ends[i - 1]
    order = np.empty(ends[count + 1], np.int32)
    for i in range(len(labels)):
        x = labels[i]
        if x > 0:
            order[ends[x]] = i
            ends[x] += 1
    return order, ends[: count + 1]
