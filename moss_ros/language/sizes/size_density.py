"""How likely sorted box extents are for things of a given size, also when a box is seen only in part.

Letters: T things (guesses of a size), K boxes, N nouns. Extents are compared as log sqrt(e^2 + r^2) with the
resolution r of a map, so that millimetres below it say nothing; each follows a Student distribution of 4 degrees,
whose tails forgive the odd example. Formulas: density and distribution function of Student's t, any textbook.

An extent that was not seen from end to end ("cut") is a lower bound: its factor is the chance that the extent is at
least that. Which of the thing's extents was cut is not known, so all ways are averaged; whole extents keep their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numba import njit

RESOLUTION_M = 0.015
_HALF_RESOLUTION = 0.5 * RESOLUTION_M  # spread that the resolution itself adds to an extent
_LEAST_SD = 0.12  # boxes around noisy points, not always turned as the thing is
_PEAK = 0.375  # density of t with 4 degrees at 0
_SMALLEST = 1e-300
_LEAST_CHANCE = 1e-9
_GRID = np.linspace(np.log(0.9 * RESOLUTION_M), np.log(15.0), 56)  # of log extents, for the background
# Which ranks (0 = longest) the extents of a box may have in the thing; the last `cut` extents are the cut ones.
_WAYS = np.array(
    [
        [[0, 1, 2], [0, 1, 2], [0, 1, 2]],
        [[0, 1, 2], [0, 2, 1], [1, 2, 0]],
        [[0, 1, 2], [1, 0, 2], [2, 0, 1]],
        [[0, 1, 2], [0, 1, 2], [0, 1, 2]],
    ]
)
_WAY_COUNTS = np.array([1, 3, 3, 1])


@dataclass(frozen=True, slots=True)
class Boxes:
    """K boxes, each with its whole extents first, longest first, and then its cut ones, longest first."""

    log_extents: np.ndarray  # (K, 3) float64
    cut: np.ndarray  # (K,) int64: how many extents are lower bounds; -1 = no valid box


def log_extent(extents_m: np.ndarray) -> np.ndarray:
    """Logarithm of extents in metres that flattens out below the resolution."""
    return cast(np.ndarray, 0.5 * np.log(np.square(extents_m) + RESOLUTION_M**2))


def log_spread(extents_m: np.ndarray, log_sd: np.ndarray) -> np.ndarray:
    """Spread of log_extent() of things with these extents and spreads."""
    square = np.square(extents_m) + RESOLUTION_M**2
    slope = np.square(extents_m) / square
    return cast(np.ndarray, np.sqrt((slope * log_sd) ** 2 + _HALF_RESOLUTION**2 / square + _LEAST_SD**2))


def sorted_boxes(extents_m: np.ndarray, whole: np.ndarray | None) -> Boxes:
    """Boxes from extents (K, 3) in any order and which were seen from end to end, (K, 3) bool, None = all.

    A box with an extent that is negative or not finite is no valid box.
    """
    if whole is None:
        whole = np.broadcast_to(np.True_, extents_m.shape)
    return Boxes(*_sorted(extents_m, np.ascontiguousarray(whole)))


def log_ratio(
    mean: np.ndarray, sd: np.ndarray, trust: np.ndarray, boxes: Boxes, log_background: np.ndarray
) -> np.ndarray:
    """(T, K) float32: log of (trust * density / background + 1 - trust); 0 where a box is not valid.

    mean, sd: (T, 3) of log extents, longest first. trust: (T,) in [0, 1]. log_background: (K,).
    """
    return cast(np.ndarray, _log_ratio(mean, sd, trust, boxes.log_extents, boxes.cut, np.exp(log_background)))


class Background:
    """All nouns mixed evenly: how likely a box is before anything is said about it; looked up in a grid."""

    def __init__(self, mean: np.ndarray, sd: np.ndarray) -> None:
        """mean, sd: (N, 3) of the log extents of the nouns."""
        t = (_GRID - mean[:, :, None]) / sd[:, :, None]  # (N, 3, grid)
        s = t / np.sqrt(4 + t * t)
        density = (_PEAK * (1 + 0.25 * t * t) ** -2.5 / sd[:, :, None]).astype(np.float32)
        chance = np.maximum(0.5 - 0.75 * (s - s**3 / 3), _LEAST_CHANCE).astype(np.float32)
        self._tables = np.stack([np.log(_mixture(density, chance, cut) + _SMALLEST) for cut in range(4)])

    def log_density(self, boxes: Boxes) -> np.ndarray:
        """(K,) log density, linear between the points of the grid; 0 where a box is not valid."""
        return cast(np.ndarray, _look_up(self._tables, boxes.log_extents, boxes.cut, _GRID[0], _GRID[1] - _GRID[0]))


def _mixture(density: np.ndarray, chance: np.ndarray, cut: int) -> np.ndarray:
    """(grid, grid, grid) mean density over nouns and ways, from the factors (N, 3, grid)."""
    nouns, _, size = density.shape
    total = np.zeros((size, size, size))
    for ranks in _WAYS[cut, : _WAY_COUNTS[cut]]:
        a, b, c = ((chance if axis >= 3 - cut else density)[:, rank] for axis, rank in enumerate(ranks))
        pairs = (a[:, :, None] * b[:, None, :]).reshape(nouns, -1)
        total += (pairs.T @ c).reshape(size, size, size)
    return cast(np.ndarray, total / (_WAY_COUNTS[cut] * nouns))


@njit(cache=True, nogil=True)
def _sorted(extents_m: np.ndarray, whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    logs, cut = np.zeros(extents_m.shape), np.zeros(len(extents_m), np.int64)
    for k in range(len(extents_m)):
        a, b, c = extents_m[k]
        low, high = min(a, b), max(a, b)
        cut[k] = 3 - whole[k].sum()
        if not (np.isfinite(a + b + c) and min(low, c) >= 0):
            cut[k] = -1
            continue
        if cut[k] == 0 or cut[k] == 3:  # all of a kind: without branches, as this is the usual case
            ordered = max(high, c), max(low, min(high, c)), min(low, c)
        elif cut[k] == 1:  # two whole ones, then the cut one
            a, b, c = (b, c, a) if not whole[k, 0] else (a, c, b) if not whole[k, 1] else (a, b, c)
            ordered = max(a, b), min(a, b), c
        else:
            a, b, c = (a, b, c) if whole[k, 0] else (b, a, c) if whole[k, 1] else (c, a, b)
            ordered = a, max(b, c), min(b, c)
        for axis in range(3):
            logs[k, axis] = 0.5 * np.log(ordered[axis] ** 2 + RESOLUTION_M * RESOLUTION_M)
    return logs, cut


@njit(cache=True, nogil=True)
def _log_ratio(
    mean: np.ndarray, sd: np.ndarray, trust: np.ndarray, logs: np.ndarray, cut: np.ndarray, background: np.ndarray
) -> np.ndarray:
    out = np.zeros((len(mean), len(logs)), np.float32)
    per_sd = 1 / sd
    for i in range(len(mean)):
        for k in range(len(logs)):
            if cut[k] < 0:
                continue
            whole_axes, ways, total = 3 - cut[k], _WAY_COUNTS[cut[k]], 0.0
            for way in range(ways):
                scale, product = 1.0, 1.0
                for axis in range(3):
                    rank = _WAYS[cut[k], way, axis]
                    t = (logs[k, axis] - mean[i, rank]) * per_sd[i, rank]
                    if axis < whole_axes:
                        product *= 1 + 0.25 * t * t
                        scale *= _PEAK * per_sd[i, rank]
                    else:
                        s = t / np.sqrt(4 + t * t)
                        scale *= max(0.5 - 0.75 * (s - s * s * s / 3), _LEAST_CHANCE)
                total += scale / (product * product * np.sqrt(product))
            density = total / (ways * max(background[k], _SMALLEST))
            out[i, k] = np.log(max(1 - trust[i] + trust[i] * density, _SMALLEST))
    return out


@njit(cache=True, nogil=True)
def _look_up(tables: np.ndarray, logs: np.ndarray, cut: np.ndarray, first: float, step: float) -> np.ndarray:
    out, last = np.zeros(len(logs)), tables.shape[1] - 1
    low, part = np.zeros(3, np.int64), np.zeros(3)
    for k in range(len(logs)):
        if cut[k] < 0:
            continue
        for axis in range(3):
            at = min(max((logs[k, axis] - first) / step, 0.0), float(last))
            low[axis] = min(int(at), last - 1)
            part[axis] = at - low[axis]
        for corner in range(8):
            a, b, c = corner & 1, corner >> 1 & 1, corner >> 2 & 1
            weight = (part[0] if a else 1 - part[0]) * (part[1] if b else 1 - part[1])
            weight *= part[2] if c else 1 - part[2]
            out[k] += weight * tables[cut[k], low[0] + a, low[1] + b, low[2] + c]
    return out
