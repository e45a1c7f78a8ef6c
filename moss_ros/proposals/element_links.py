"""How surely elements belong together: the mean over all pairs of pixels, of all views, that lie on the two.

Pairs reach up to 28 px, so elements that do not touch say something about each other too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numba import njit

from moss_ros.masks2d.pixel_pairs import SURE, ViewPairs
from moss_ros.proposals.voxel_affinity import NEAR, PIXELS

_STEP = 4  # pairs of every fourth pixel and row: views are many, and elements larger
_NEAR_CELLS = 3  # elements also touch where pixels beside each other lie so near in the map
_NOT_SOLID = -1


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


class LinkMap:
    """Links of all views; a view is read again only when an element that it shows changed.

    Elements are remembered by their lowest voxel, since their numbers move. The result equals starting anew.
    """

    def __init__(self) -> None:
        self._name = np.zeros(0, np.int32)  # (N,) of the last call, see _names
        self._views: dict[int, tuple[ViewPairs, np.ndarray]] = {}  # by slot: the view, and its rows (n, 5) by name
        self.read = 0  # views read by the last update

    def update(
        self,
        views: Mapping[int, ViewPairs],
        element: np.ndarray,
        solid: np.ndarray,
        grid: np.ndarray,
        touching: tuple[np.ndarray, np.ndarray],
    ) -> Links:
        """views by slot; element (N,) int32 of each voxel, 0 = none; solid (N,) bool; grid (N, 3) int32 cells;
        touching: voxels beside each other, two arrays of ids."""
        count = int(element.max(initial=0)) + 1
        name, lowest = _names(element, solid, count)
        renamed = name != np.pad(self._name, (0, len(name) - len(self._name)), constant_values=_NOT_SOLID)
        self._name = name
        known, self._views, self.read = self._views, {}, 0
        local, table = np.full(count, -1, np.int32), np.zeros((0, 0, 3), np.int32)
        for slot, view in sorted(views.items()):
            before = known.get(slot)
            if before is not None and before[0] is view and not _shows(view.voxels, renamed):
                self._views[slot] = before
                continue
            own, seen = _numbered(view.voxels, element, solid, local)
            if len(seen) > len(table):
                table = np.zeros((len(seen), len(seen), 3), np.int32)
            rows = _of_view(own, seen, lowest, view.voxels, view.pairs.same, PIXELS, NEAR, grid, table)
            self._views[slot] = (view, rows)
            self.read += 1
        by_name = np.concatenate([np.zeros((0, 5), np.int32), *(rows for _, rows in self._views.values())])
        first, second, sums = _added_up(by_name, element, *touching, count)
        return Links(first, second, *sums.T)


@njit(cache=True, nogil=True)
def _names(element, solid, count):
    """Name (N,) int32 of each voxel's element: 1 + its lowest voxel, 0 = it is in none, or _NOT_SOLID; and the name
    of each element (count,)."""
    lowest = np.zeros(count, np.int32)
    name = np.empty(len(element), np.int32)
    for v in range(len(element)):
        e = element[v]
        if e > 0 and lowest[e] == 0:
            lowest[e] = v + 1
        name[v] = lowest[e] if solid[v] else _NOT_SOLID
    return name, lowest


@njit(cache=True, nogil=True)
def _shows(voxels, marked):
    """Whether any pixel that is read lies on a marked voxel."""
    for v in range(voxels.shape[0]):
        if v % _STEP > 1:
            continue
        for u in range(voxels.shape[1]):
            if u % _STEP <= 1 and voxels[v, u] >= 0 and marked[voxels[v, u]]:
                return True
    return False


@njit(cache=True, nogil=True)
def _added_up(rows, element, touch_a, touch_b, count):
    """Rows (n, 5) of all views, by name, added up for each pair of elements that some view compared: first, second
    (P,) int32 in order, and sums (P, 3) int64, to which places count where voxels of the two are beside each other."""
    ends = np.zeros((len(rows), 2), np.int32)
    for r in range(len(rows)):
        a, b = rows[r, 0], rows[r, 1]
        a, b = element[a - 1] if a > 0 else 0, element[b - 1] if b > 0 else 0
        ends[r, 0], ends[r, 1] = min(a, b), max(a, b)
    start = np.zeros(count + 1, np.int64)  # counting sort by the first element; contacts are rows behind the others
    for r in range(len(rows)):
        start[ends[r, 0] + 1] += 1
    for t in range(len(touch_a)):
        a, b = element[touch_a[t]], element[touch_b[t]]
        if a != b and min(a, b) > 0:
            start[min(a, b) + 1] += 1
    for e in range(count):
        start[e + 1] += start[e]
    order = np.empty(start[count], np.int64)
    fill = start[:-1].copy()
    for r in range(len(rows)):
        order[fill[ends[r, 0]]] = r
        fill[ends[r, 0]] += 1
    for t in range(len(touch_a)):
        a, b = element[touch_a[t]], element[touch_b[t]]
        if a != b and min(a, b) > 0:
            order[fill[min(a, b)]] = -1 - max(a, b)
            fill[min(a, b)] += 1
    first, second = np.empty(len(rows), np.int32), np.empty(len(rows), np.int32)
    sums = np.empty((len(rows), 3), np.int64)
    total, used = np.zeros((count, 3), np.int64), np.empty(count, np.int32)
    known = np.zeros(count, np.bool_)
    n = 0
    for e in range(count):
        m = 0
        for i in range(start[e], start[e + 1]):
            other = ends[order[i], 1] if order[i] >= 0 else -1 - order[i]
            if not known[other]:
                known[other] = True
                used[m] = other
                m += 1
            if order[i] >= 0:
                for c in range(3):
                    total[other, c] += rows[order[i], 2 + c]
            else:
                total[other, 2] += 1
        for other in np.sort(used[:m]):
            if total[other, 1] > 0:
                first[n], second[n] = e, other
                sums[n] = total[other]
                n += 1
            known[other] = False
            total[other] = 0
    return first[:n], second[:n], sums[:n]


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
def _of_view(own, seen, lowest, voxels, same, pixels, near, grid, table):
    """(P, 5) int32: names of two elements, sum, pairs, near pairs of one view; table is scratch of zeros for all
    pairs."""
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
    out = np.empty((n, 5), np.int32)
    for m in range(n):
        i, j = used[m]
        out[m, 0], out[m, 1] = lowest[seen[i]], lowest[seen[j]]
        for c in range(3):
            out[m, 2 + c] = table[i, j, c]
            table[i, j, c] = 0
    return out
