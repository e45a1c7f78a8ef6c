"""How surely elements belong together: the mean over all pairs of pixels, of all views, that lie on the two.

Pairs reach up to 28 px, so elements that do not touch say something about each other too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numba import njit

from moss_ros.masks2d.pixel_pairs import SURE, ViewPairs
from moss_ros.proposals.voxel_affinity import NEAR, PIXELS

_STEP = 4  # pairs of every fourth pixel and row: views are many, and elements larger
_NEAR_CELLS = 3  # elements also touch where pixels beside each other lie so near in the map


@dataclass(frozen=True, slots=True)
class Links:
    """P pairs of elements, first <= second, each pair once; element 0 is what is in none."""

    first: np.ndarray  # (P,) int32
    second: np.ndarray  # (P,) int32
    same: np.ndarray  # (P,) int64 sum of probabilities, in bytes
    pairs: np.ndarray  # (P,) int64 pairs of pixels
    near: np.ndarray  # (P,) int64 places where the two touch

    @property
    def affinity(self) -> np.ndarray:
        """(P,) mean probability in [0, 1]."""
        return self.same / (SURE * self.pairs)


def find_links(
    views: Iterable[ViewPairs],
    element: np.ndarray,
    solid: np.ndarray,
    grid: np.ndarray,
    touching: tuple[np.ndarray, np.ndarray],
) -> Links:
    """element (N,) int32 of each voxel, 0 = none; solid (N,) bool; grid (N, 3) int32 cells; touching: voxels beside
    each other, two arrays of ids."""
    count = int(element.max(initial=0)) + 1
    local = np.full(count, -1, np.int32)
    tables = [_contacts(element[touching[0]], element[touching[1]])]
    table = np.zeros((0, 0, 3), np.int32)
    for view in views:
        own, seen = _numbered(view.voxels, element, solid, local)
        if len(seen) > len(table):
            table = np.zeros((len(seen), len(seen), 3), np.int32)
        tables.append(_of_view(own, seen, view.voxels, view.pairs.same, PIXELS, NEAR, grid, table))
    rows = np.concatenate(tables)
    sums = [sp.coo_matrix((rows[:, c], (rows[:, 0], rows[:, 1])), (count, count)).tocsr() for c in (2, 3, 4)]
    known = sums[1].data > 0
    first = np.repeat(np.arange(count, dtype=np.int32), np.diff(sums[1].indptr))[known]
    return Links(first, sums[1].indices[known], *(total.data[known] for total in sums))


def _contacts(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(P, 5) rows as of a view: where two different elements have voxels beside each other."""
    apart = (first != second) & (first > 0) & (second > 0)
    out = np.zeros((int(apart.sum()), 5), np.int64)
    out[:, 0], out[:, 1] = np.minimum(first, second)[apart], np.maximum(first, second)[apart]
    out[:, 4] = 1
    return out


@njit(cache=True, nogil=True)
def _numbered(voxels, element, solid, local):
    """Elements of one view, numbered by themselves: (H, W), -1 = none, and which they are; local is scratch of -1."""
    own = np.full(voxels.shape, -1, np.int32)
    seen = np.empty(len(local), np.int32)
    count = 0
    for v in range(voxels.shape[0]):
        for u in range(voxels.shape[1]):
            if v % _STEP > 1 or u % _STEP > 1:
                continue  # offsets are one pixel or whole steps: no pair ends here
            a = voxels[v, u]
            if a >= 0 and solid[a]:
                e = element[a]
                if local[e] < 0:
                    local[e] = count
                    seen[count] = e
                    count += 1
                own[v, u] = local[e]
    for i in range(count):
        local[seen[i]] = -1
    return own, seen[:count]


@njit(cache=True, nogil=True)
def _of_view(own, seen, voxels, same, pixels, near, grid, table):
    """(P, 5) int64: elements, sum, pairs, near pairs of one view; table is scratch of zeros for all pairs."""
    height, width = own.shape
    used = np.empty((own.size, 2), np.int32)
    n = 0
    for k in range(len(pixels)):
        down, right = pixels[k, 0], pixels[k, 1]
        for v in range(0, height - down, _STEP):
            for u in range(-(min(0, right) // _STEP) * _STEP, width - max(0, right), _STEP):
                i, j = own[v, u], own[v + down, u + right]
                if i < 0 or j < 0 or seen[i] + seen[j] == 0:
                    continue
                if table[i, j, 1] == 0:
                    used[n, 0], used[n, 1] = i, j
                    n += 1
                table[i, j, 0] += same[k, v, u]
                table[i, j, 1] += 1
                if k < near:
                    a, b = voxels[v, u], voxels[v + down, u + right]
                    apart = 0
                    for c in range(3):
                        apart = max(apart, abs(grid[a, c] - grid[b, c]))
                    if apart <= _NEAR_CELLS:
                        table[i, j, 2] += 1
    out = np.empty((n, 5), np.int64)
    for m in range(n):
        i, j = used[m]
        out[m, 0], out[m, 1] = min(seen[i], seen[j]), max(seen[i], seen[j])
        for c in range(3):
            out[m, 2 + c] = table[i, j, c]
            table[i, j, c] = 0
    return out
