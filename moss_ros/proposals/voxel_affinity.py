"""How surely voxels that touch are of one thing: the mean of what all keyframes say about it.

Sums of bytes, so that views can come and go in any order and the result is exactly that of starting anew.
N voxels of the map.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.masks2d.evidence import EvidenceStore, exchanged
from moss_ros.masks2d.pixel_pairs import SURE, ViewPairs
from moss_ros.masks2d.regions import NEAR_PX, OFFSETS

PIXELS = np.array(OFFSETS, np.int64)  # (K, 2) rows and columns
NEAR = int(sum(max(abs(down), abs(right)) <= NEAR_PX for down, right in OFFSETS))  # the first so many offsets


class VoxelAffinity:
    """Kept up to date with the views of the evidence."""

    def __init__(self) -> None:
        self._views: dict[int, ViewPairs] = {}
        self._edge_sum = np.zeros((0, 13), np.int32)  # to the neighbours 13..25 of the neighbour table
        self._edge_count = np.zeros((0, 13), np.int32)
        self._thing_sum = np.zeros(0, np.int32)
        self._thing_count = np.zeros(0, np.int32)

    def update(self, evidence: EvidenceStore, grid: np.ndarray) -> bool:
        """Add the views that are new, take away those that are gone; grid (N, 3) int32. True: something changed."""
        self._resize(len(grid))
        gone, come = exchanged(self._views, evidence.pairs)
        for view in gone:
            self._add(view, grid, -1)
        for view in come:
            self._add(view, grid, 1)
        self._views = dict(evidence.pairs)
        return bool(gone or come)

    @property
    def thing(self) -> np.ndarray:
        """(N,) float32 probability that the voxel is on a thing, 0 where no view saw it."""
        return (self._thing_sum / (SURE * np.maximum(self._thing_count, 1))).astype(np.float32)

    def edges(self, inside: np.ndarray, neighbours: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pairs of touching voxels inside (N,) bool that some view compared: two int32 ids and a float32 affinity."""
        return _edges(inside, neighbours, self._edge_sum, self._edge_count, np.float32(1 / SURE))

    def _add(self, view: ViewPairs, grid: np.ndarray, sign: int) -> None:
        pairs = view.pairs
        _add_things(view.voxels, pairs.thing, sign, self._thing_sum, self._thing_count)
        _add_edges(view.voxels, pairs.same, PIXELS[:NEAR], grid, sign, self._edge_sum, self._edge_count)

    def _resize(self, count: int) -> None:
        more = count - len(self._thing_sum)
        if more > 0:
            grown = ((0, more), (0, 0))
            self._edge_sum, self._edge_count = np.pad(self._edge_sum, grown), np.pad(self._edge_count, grown)
            self._thing_sum, self._thing_count = (
                np.pad(self._thing_sum, (0, more)),
                np.pad(self._thing_count, (0, more)),
            )


@njit(cache=True, nogil=True)
def _add_things(voxels, thing, sign, total, count):
    for v in range(voxels.shape[0]):
        for u in range(voxels.shape[1]):
            a = voxels[v, u]
            if a >= 0:
                total[a] += sign * np.int32(thing[v, u])
                count[a] += sign


@njit(cache=True, nogil=True)
def _add_edges(voxels, same, pixels, grid, sign, total, count):
    height, width = voxels.shape
    for k in range(len(pixels)):
        down, right = pixels[k, 0], pixels[k, 1]
        for v in range(height - down):
            for u in range(max(0, -right), width - max(0, right)):
                a, b = voxels[v, u], voxels[v + down, u + right]
                if a < 0 or b < 0 or a == b:
                    continue
                x, y, z = grid[b, 0] - grid[a, 0], grid[b, 1] - grid[a, 1], grid[b, 2] - grid[a, 2]
                if max(abs(x), abs(y), abs(z)) > 1:
                    continue
                o = 9 * x + 3 * y + z  # 1..13 for the neighbours 13..25 of the table, negative for the others
                if o < 0:  # the same edge, seen from the other end
                    a, o = b, -o
                total[a, o - 1] += sign * np.int32(same[k, v, u])
                count[a, o - 1] += sign


@njit(cache=True, nogil=True)
def _edges(inside, neighbours, total, count, scale):
    most = 13 * np.count_nonzero(inside)
    first, second = np.empty(most, np.int32), np.empty(most, np.int32)
    affinity = np.empty(most, np.float32)
    n = 0
    for a in range(len(inside)):
        if inside[a]:
            for o in range(13):
                b = neighbours[a, o + 13]
                if b >= 0 and count[a, o] > 0 and inside[b]:
                    first[n], second[n], affinity[n] = a, b, scale * total[a, o] / count[a, o]
                    n += 1
    return first[:n], second[:n], affinity[:n]
