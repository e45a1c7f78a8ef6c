"""Connected components on the 26-neighbour table of the voxel map (union-find), kept between calls."""

from __future__ import annotations

import numpy as np
from numba import njit


class ComponentMap:
    """Components of neighbouring voxels of the same group; only those that a change touches are formed anew.

    The result does not depend on the history: it equals forming everything anew.
    """

    def __init__(self, height_step: float = np.inf) -> None:
        self.root = np.zeros(0, np.int32)  # (N,) 1 + the lowest voxel id of the component, 0 = in none
        self._group = np.zeros(0, np.int32)
        self._step = height_step

    def update(
        self, neighbours: np.ndarray, group: np.ndarray, height: np.ndarray, moved: np.ndarray | None = None
    ) -> np.ndarray:
        """Bring ``root`` up to date; returns (N,) bool: voxels whose component was formed anew or is gone.

        neighbours (N, 26) int32; group (N,) int32, positive where the voxel belongs to a component; height (N,):
        neighbours farther apart than the height step are not connected; moved (N,) bool: height changed.
        """
        n = len(group)
        old = _padded(self._group, n)
        changed = group != old
        if moved is not None:
            changed |= moved & (group > 0)
        self.root = _padded(self.root, n)
        redone = _touched_components(neighbours, group, changed, self.root)
        _form(neighbours, group, height, self._step, redone, self.root)
        self._group = group.copy()
        return redone


@njit(cache=True, nogil=True)
def find_root(parent: np.ndarray, i: int) -> int:
    """Root of i, with path halving."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True)
def _touched_components(neighbours, group, changed, root):
    """Members of every component that holds a changed voxel or may join one, and the changed voxels themselves."""
    n = len(group)
    marked = np.zeros(n + 1, np.bool_)
    for v in range(n):
        if not changed[v]:
            continue
        marked[root[v]] = True
        if group[v] <= 0:
            continue
        for o in range(26):
            u = neighbours[v, o]
            if u >= 0 and group[u] == group[v]:
                marked[root[u]] = True
    marked[0] = False
    out = np.empty(n, np.bool_)
    for v in range(n):
        out[v] = changed[v] or marked[root[v]]
    return out


@njit(cache=True, nogil=True)
def _form(neighbours, group, height, step, where, root):
    """Components of the voxels in where, which is closed: no edge leads out of it."""
    n = len(group)
    parent = np.empty(n, np.int32)
    for v in range(n):
        parent[v] = v
    for v in range(n):
        if not where[v] or group[v] <= 0:
            continue
        for o in range(13):  # the other 13 are seen from the other side
            u = neighbours[v, o]
            if u >= 0 and group[u] == group[v] and abs(height[u] - height[v]) < step:
                _unite(parent, v, u)
    for v in range(n):
        if where[v]:  # the root is the lowest id of its component
            root[v] = find_root(parent, v) + 1 if group[v] > 0 else 0


@njit(cache=True, nogil=True)
def _unite(parent: np.ndarray, a: int, b: int) -> None:
    ra, rb = find_root(parent, a), find_root(parent, b)
    if ra < rb:
        parent[rb] = ra
    elif rb < ra:
        parent[ra] = rb


@njit(cache=True, nogil=True)
def number_roots(root: np.ndarray) -> tuple[np.ndarray, int]:
    """Labels (N,) int32 1..n in order of the roots (0 stays 0), and n."""
    label = np.zeros(len(root), np.int32)
    count = 0
    for v in range(len(root)):
        r = root[v]
        if r == 0:
            continue
        if label[r - 1] == 0:
            count += 1
            label[r - 1] = count
        label[v] = label[r - 1]
    return label, count


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


@njit(cache=True, nogil=True)
def spread(mask: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """(N,) bool: the mask and all neighbours of it."""
    out = mask.copy()
    for i in range(len(mask)):
        if mask[i]:
            for o in range(26):
                j = neighbours[i, o]
                if j >= 0:
                    out[j] = True
    return out


def _padded(array: np.ndarray, rows: int) -> np.ndarray:
    out = np.zeros(rows, array.dtype)
    out[: len(array)] = array
    return out
