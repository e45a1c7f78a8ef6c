"""Elements: small groups of voxels that are surely of one thing; the leaves of the merge tree.

Felzenszwalb's segmentation with the affinity between voxels, and less of it where their colours differ: books in a row
are told apart by nothing else. What has several colours is put together again by the merge tree, which sees no colour.
Groups are bounded, so that one wrong link cannot join two things for good.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.geometry.components import find_root

_SCALE = np.float32(0.7)  # how much surer a link must be as groups grow
_MOST_VOXELS = 400
_LEAST_VOXELS = 6  # smaller ones join their surest neighbour, or go
_COLOR_STEP = np.float32(45.0)  # distance in RGB that halves the affinity
_LEVELS = 65535  # doubts are quantised, so that sorting is fast


def find_elements(
    first: np.ndarray, second: np.ndarray, affinity: np.ndarray, color_rgb: np.ndarray
) -> tuple[np.ndarray, int]:
    """(N,) int32 element of each voxel, 0 = none, 1..S by their lowest voxel, and S.

    first, second (E,) int32 voxels that touch, affinity (E,) float32 in [0, 1] between them; color_rgb (N, 3) of all
    voxels of the map, 0..255.
    """
    count = len(color_rgb)
    doubt = _doubts(first, second, affinity, color_rgb, _COLOR_STEP)
    order = np.argsort((doubt * _LEVELS).astype(np.uint16), kind="stable")
    parent = np.arange(count, dtype=np.int32)
    size = np.ones(count, np.int32)
    _join(first, second, doubt, order, parent, size, _SCALE, _MOST_VOXELS)
    _join_small(first, second, order, parent, size, _LEAST_VOXELS)
    return _numbered(parent, size, _LEAST_VOXELS)


@njit(cache=True, nogil=True)
def _doubts(first, second, affinity, color, step):
    """(E,) float32 in [0, 1] how little each link is worth."""
    out = np.empty(len(first), np.float32)
    for e in range(len(first)):
        square = np.float32(0)
        for a in range(3):
            square += ((color[first[e], a] - color[second[e], a]) / step) ** 2
        out[e] = np.float32(1) - affinity[e] / (np.float32(1) + square)
    return out


@njit(cache=True, nogil=True)
def _join(first, second, doubt, order, parent, size, scale, most):
    limit = np.full(len(parent), scale, np.float32)
    for e in order:
        a, b = find_root(parent, first[e]), find_root(parent, second[e])
        if a != b and doubt[e] <= min(limit[a], limit[b]) and size[a] + size[b] <= most:
            a, b = min(a, b), max(a, b)
            parent[b] = a
            size[a] += size[b]
            limit[a] = doubt[e] + scale / size[a]


@njit(cache=True, nogil=True)
def _join_small(first, second, order, parent, size, least):
    small = np.empty(len(parent), np.bool_)
    for v in range(len(parent)):
        small[v] = size[find_root(parent, v)] < least
    for e in order:
        if not (small[first[e]] or small[second[e]]):  # groups only grow
            continue
        a, b = find_root(parent, first[e]), find_root(parent, second[e])
        if a != b and min(size[a], size[b]) < least:
            a, b = min(a, b), max(a, b)
            parent[b] = a
            size[a] += size[b]


@njit(cache=True, nogil=True)
def _numbered(parent, size, least):
    number = np.zeros(len(parent), np.int32)
    out = np.zeros(len(parent), np.int32)
    count = 0
    for v in range(len(parent)):
        root = find_root(parent, v)
        if size[root] >= least:
            if number[root] == 0:
                count += 1
                number[root] = count
            out[v] = number[root]
    return out, count
