"""Which space the camera has seen: the ground on which "it is not there" stands.

A coarse grid of the cells that rays of keyframes went through or ended in. Rays are sampled so densely that their
gap at the far end is one cell. Cells are never forgotten, but for a full table: then new ones are not entered.
A column of cells in which a ray ended has a mark of its own, a cell in the layer _MARK: there the camera saw what
stands on the floor plan, and not just the air above it.
"""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from numba import njit

from moss_ros.geometry.camera import Camera
from moss_ros.geometry.voxels import block_key, block_of_key

_MARK = 1_048_575  # the highest layer that a key can hold
_LOOK_UPS = 100_000  # places of a region that are looked up at most
_CLOSED_M = 1.0  # gaps of the seen floor plan narrower than this are to be seen as well
_WIDEST = 2048  # cells of the plan's picture


class Volume(Protocol):
    """A part of space."""

    @property
    def is_plan(self) -> bool:
        """Whether it has any height."""
        ...

    def bounds_m(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest corner (3,)."""
        ...

    def contains(self, points_m: np.ndarray) -> np.ndarray:
        """(N,) bool for points (N, 3)."""
        ...


class ObservedSpace:
    """The seen cells; add() for each keyframe, share() for each question. One writer; readers may run beside it."""

    def __init__(self, cell_m: float = 0.15, max_cells: int = 2_000_000, max_depth_m: float = 5.0) -> None:
        """max_depth_m: rays are followed so far at most."""
        self.cell_m = cell_m
        self._max_cells = max_cells
        self._max_depth_m = max_depth_m
        self._keys = np.full(1 << 12, -1, np.int64)
        self._count = 0
        self._known: tuple[int, _Seen] | None = None

    def __len__(self) -> int:
        return self._count

    def add(self, depth_m: np.ndarray, world_from_camera: np.ndarray, camera: Camera) -> int:
        """Enter the rays of a depth image (H, W) float32, 0 = no measurement; returns the number of new cells."""
        stride = max(int(camera.fx * self.cell_m / self._max_depth_m), 1)
        before = self._count
        sampled = np.ascontiguousarray(depth_m[stride // 2 :: stride, stride // 2 :: stride])
        start = 0
        while start < sampled.shape[0]:
            self._count, start = _mark(
                self._keys,
                self._count,
                sampled,
                start,
                stride,
                camera.matrix,
                np.ascontiguousarray(world_from_camera, np.float64),
                self.cell_m,
                self._max_depth_m,
                min(len(self._keys) // 2, self._max_cells),
            )
            if start < sampled.shape[0]:
                if len(self._keys) // 2 >= self._max_cells:
                    break
                self._keys = _grown(self._keys)
        return self._count - before

    def cells(self) -> np.ndarray:
        """(N, 3) int32 grid coordinates of the seen cells and marks, in lexicographic order."""
        keys = self._keys
        return np.stack(block_of_key(np.sort(keys[keys >= 0])), 1).astype(np.int32)

    @classmethod
    def of_cells(cls, cells: np.ndarray, cell_m: float) -> ObservedSpace:
        """The space of stored cells (N, 3)."""
        space = cls(cell_m, max_cells=max(len(cells), 2_000_000))
        x, y, z = np.asarray(cells, np.int64).reshape(-1, 3).T
        keys = np.unique(_key(x, y, z))
        space._keys = np.full(max(1 << 12, 1 << int(2 * len(keys) + 1).bit_length()), -1, np.int64)
        _enter(space._keys, keys)
        space._count = len(keys)
        return space

    def share(self, region: Volume | None = None) -> float:
        """Share of a region that was seen, [0, 1]; 0 as long as nothing was seen at all.

        Sphere and box: of their cells between the lowest and the highest seen cell of the map. Floor polygon: of
        its columns, in which a surface was seen. None (everywhere): of the floor plan that such columns enclose,
        gaps below 1 m included; so it tells of holes in the map, not of rooms never entered.
        """
        if self._count == 0:
            return 0.0
        if self._known is None or self._known[0] != self._count:
            self._known = (self._count, _Seen(self._keys))
        seen = self._known[1]
        if region is None:
            return seen.enclosed_share(self.cell_m)
        return seen.share(region, self.cell_m)


class _Seen:
    """The cells at one moment, sorted for look-up."""

    def __init__(self, keys: np.ndarray) -> None:
        keys = np.sort(keys[keys >= 0])
        is_mark = (keys & 0x1FFFFF) == _MARK + 1048576
        self.keys = keys[~is_mark]
        x, y, z = block_of_key(self.keys)
        self.low = np.array([x.min(), y.min(), z.min()])
        self.high = np.array([x.max(), y.max(), z.max()])
        self.columns = keys[is_mark] >> 21  # ascending
        self._enclosed: float | None = None

    def share(self, region: Volume, cell_m: float) -> float:
        low, high = region.bounds_m()
        bottom, top = self.low[2] * cell_m, (self.high[2] + 1) * cell_m
        if region.is_plan:
            bottom, top = 0.0, cell_m  # one layer
        low, high = np.maximum(low, [-np.inf, -np.inf, bottom]), np.minimum(high, [np.inf, np.inf, top])
        if (high < low).any():
            return 0.0
        step = max(cell_m, float(np.prod(np.maximum(high - low, cell_m)) / _LOOK_UPS) ** (1 / 3))
        axes = [_places(a, b, step) for a, b in zip(low, high, strict=True)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
        points = points[region.contains(points)]
        if not len(points):
            return 0.0
        x, y, z = np.floor(points / cell_m).astype(np.int64).T
        wanted = _key(x, y, z)
        if region.is_plan:
            return float(_is_in(wanted >> 21, self.columns).mean())
        return float(_is_in(wanted, self.keys).mean())

    def enclosed_share(self, cell_m: float) -> float:
        if self._enclosed is None and not len(self.columns):
            self._enclosed = 0.0
        if self._enclosed is None:
            x, y = (self.columns >> 21) - self.low[0] - 1048576, (self.columns & 0x1FFFFF) - self.low[1] - 1048576
            coarse = max(int(max(x.max(), y.max())) // _WIDEST + 1, 1)
            reach = max(int(round(_CLOSED_M / cell_m / coarse)), 1)
            shape = (int(x.max()) // coarse + 1 + 2 * reach, int(y.max()) // coarse + 1 + 2 * reach)
            plan = np.zeros(shape, np.uint8)
            plan[x // coarse + reach, y // coarse + reach] = 1
            closed = cv2.morphologyEx(plan, cv2.MORPH_CLOSE, np.ones((reach | 1, reach | 1), np.uint8))
            outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            filled = cv2.drawContours(closed, outlines, -1, 1, cv2.FILLED)
            self._enclosed = float(
                np.count_nonzero(plan) / np.count_nonzero(np.maximum(np.asarray(filled, np.uint8), plan))
            )
        return self._enclosed


def _key(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """block_key() of whole arrays."""
    return np.asarray(((x + 1048576) << 42) | ((y + 1048576) << 21) | (z + 1048576))


def _places(low: float, high: float, step: float) -> np.ndarray:
    count = max(int(np.ceil((high - low) / step - 1e-9)), 1)
    return np.asarray(low + (np.arange(count) + 0.5) * (high - low) / count)


def _is_in(wanted: np.ndarray, known: np.ndarray) -> np.ndarray:
    if not len(known):
        return np.zeros(len(wanted), bool)
    rows = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.asarray(known[rows] == wanted)


def _grown(keys: np.ndarray) -> np.ndarray:
    out = np.full(2 * len(keys), -1, np.int64)
    _enter(out, keys[keys >= 0])
    return out


@njit(cache=True, nogil=True, inline="always")
def _slot(table, key):
    """Where a key is, or the free slot for it. All three coordinates must reach the low bits."""
    mask = len(table) - 1
    mixed = (key ^ (key >> 31)) * 0x9E3779B97F4A7C1
    slot = (mixed ^ (mixed >> 29)) & mask
    while table[slot] != -1 and table[slot] != key:
        slot = (slot + 1) & mask
    return slot


@njit(cache=True, nogil=True)
def _enter(table, keys):
    for key in keys:
        table[_slot(table, key)] = key


@njit(cache=True, nogil=True)
def _mark(table, count, depth, first_row, stride, k, pose, cell, max_depth, limit):
    """Enter the cells along each ray from first_row on; returns the count and the row where the table was full."""
    last = -1
    for row in range(first_row, depth.shape[0]):
        for column in range(depth.shape[1]):
            z = depth[row, column]
            if not z > 0:
                continue
            x = (column * stride + stride // 2 - k[0, 2]) / k[0, 0]
            y = (row * stride + stride // 2 - k[1, 2]) / k[1, 1]
            dx = pose[0, 0] * x + pose[0, 1] * y + pose[0, 2]
            dy = pose[1, 0] * x + pose[1, 1] * y + pose[1, 2]
            dz = pose[2, 0] * x + pose[2, 1] * y + pose[2, 2]
            end = min(z, max_depth)
            steps = int(np.ceil(end * np.sqrt(x * x + y * y + 1) / (0.7 * cell)))
            for i in range(steps + 1 + (z <= max_depth)):
                t = end * min(i, steps) / steps
                gx = int(np.floor((pose[0, 3] + t * dx) / cell))
                gy = int(np.floor((pose[1, 3] + t * dy) / cell))
                gz = int(np.floor((pose[2, 3] + t * dz) / cell)) if i <= steps else _MARK
                key = block_key(gx, gy, gz)
                if key == last:
                    continue
                last = key
                slot = _slot(table, key)
                if table[slot] == -1:
                    if count >= limit:
                        return count, row
                    table[slot] = key
                    count += 1
    return count, depth.shape[0]
