"""Which support each voxel stands on: the *highest* one below it (shelves have many)."""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit

from moss_ros.config import ProposalConfig
from moss_ros.mapping.structure import Support
from moss_ros.proposals.solid_voxels import SolidVoxels


class AboveSupports:
    """Redone only where voxels changed, and in the columns of supports that came, went or changed."""

    def __init__(self, config: ProposalConfig) -> None:
        self._config = config
        self._candidate = np.zeros(0, np.int32)
        self._rest = np.zeros(0, bool)
        self._plans: dict[int, tuple[Support, np.ndarray, np.ndarray]] = {}  # by key: support, footprint, corner

    def update(
        self, voxels: SolidVoxels, supports: tuple[Support, ...], rest: np.ndarray, changed: np.ndarray
    ) -> np.ndarray:
        """(N,) int32: s = candidate of the support with key s, -s = rim of it, 0 = neither."""
        c, n, old = self._config, len(rest), len(self._rest)
        dirty = changed.copy()
        dirty[:old] |= rest[:old] != self._rest
        dirty[old:] = True
        plans = {s.key: self._plan(s, voxels.grid) for s in supports}
        for plan in _exchanged(self._plans, plans):
            _mark_column(voxels.grid, plan[1], plan[2], dirty)
        self._plans, self._rest = plans, rest
        self._candidate = np.concatenate([self._candidate, np.zeros(n - old, np.int32)])
        ids = np.flatnonzero(dirty)
        self._candidate[ids] = 0
        top = np.full(len(ids), -np.inf, np.float32)
        for key, (support, plan, corner) in plans.items():
            _assign_support(
                ids,
                voxels.grid,
                voxels.position,
                rest,
                plan,
                corner,
                support.height_m,
                key,
                max(c.rim_m, c.rim_spreads * support.spread_m),
                c.object_max_m,
                self._candidate,
                top,
            )
        return self._candidate

    def _plan(self, support: Support, grid: np.ndarray) -> tuple[Support, np.ndarray, np.ndarray]:
        known = self._plans.get(support.key)
        return known if known and known[0] is support else (support, *_footprint(grid[support.voxels]))


def _exchanged(old: dict, new: dict):
    """The plans that are only in one of the two."""
    for key in {**old, **new}:
        before, after = old.get(key), new.get(key)
        if before is not after:
            yield from (plan for plan in (before, after) if plan)


def _footprint(grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Closed and slightly grown plan of a support as an image, and the grid coordinates of its corner."""
    pad = 17
    origin = grid[:, :2].min(0) - pad
    plan = np.zeros(grid[:, :2].max(0) - origin + pad + 1, np.uint8)
    plan[grid[:, 0] - origin[0], grid[:, 1] - origin[1]] = 1
    plan = cv2.morphologyEx(plan, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    return cv2.dilate(plan, np.ones((3, 3), np.uint8)), origin


@njit(cache=True, nogil=True)
def _mark_column(grid, footprint, corner, out):
    """Set out where a voxel lies over or under the footprint."""
    for i in range(len(grid)):
        x, y = grid[i, 0] - corner[0], grid[i, 1] - corner[1]
        if 0 <= x < footprint.shape[0] and 0 <= y < footprint.shape[1] and footprint[x, y] != 0:
            out[i] = True


@njit(cache=True, nogil=True)
def _assign_support(where, grid, position, rest, footprint, corner, height, key, rim, reach, candidate, top):
    for n in range(len(where)):
        i = where[n]
        x, y = grid[i, 0] - corner[0], grid[i, 1] - corner[1]
        if x < 0 or y < 0 or x >= footprint.shape[0] or y >= footprint.shape[1]:
            continue
        if not rest[i] or footprint[x, y] == 0 or height <= top[n] + 0.005:
            continue
        above = position[i, 2] - height
        if -rim <= above < reach:
            candidate[i] = key if above > rim else -key
            top[n] = height
