"""Geometry of pairs of upright boxes, many at once: plan distance, overlap of footprints and heights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_STEPS = (np.arange(5) + 0.5) / 5 - 0.5  # 5 x 5 points of a footprint
_CORNERS = np.array([(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)])


@dataclass(frozen=True, slots=True)
class Boxes:
    """K upright boxes in the map frame."""

    center_m: np.ndarray  # (K, 3) float64
    size_m: np.ndarray  # (K, 3) float64 full extents along the box axes
    yaw_rad: np.ndarray  # (K,) float64

    def __len__(self) -> int:
        return len(self.yaw_rad)

    def take(self, rows: np.ndarray) -> Boxes:
        """The boxes at rows, in that order."""
        return Boxes(self.center_m[rows], self.size_m[rows], self.yaw_rad[rows])

    @property
    def low_m(self) -> np.ndarray:
        """(K,) heights of the undersides."""
        return self.center_m[:, 2] - self.size_m[:, 2] / 2

    @property
    def high_m(self) -> np.ndarray:
        """(K,) heights of the tops."""
        return self.center_m[:, 2] + self.size_m[:, 2] / 2

    @property
    def plan_radius_m(self) -> np.ndarray:
        """(K,) half diagonals of the footprints."""
        return np.hypot(self.size_m[:, 0], self.size_m[:, 1]) / 2

    @property
    def volume_m3(self) -> np.ndarray:
        """(K,)."""
        return np.asarray(self.size_m.prod(axis=1))


def near_pairs(a: Boxes, b: Boxes, reach_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows (i of a, j of b) whose circles around the footprints are at most reach_m apart."""
    first, second = [], []
    radius = a.plan_radius_m
    for j in range(len(b)):
        limit = radius + (b.plan_radius_m[j] + reach_m)
        dx, dy = a.center_m[:, 0] - b.center_m[j, 0], a.center_m[:, 1] - b.center_m[j, 1]
        rows = np.flatnonzero(dx * dx + dy * dy <= limit * limit)
        first.append(rows)
        second.append(np.full(len(rows), j))
    if not first:
        return np.zeros(0, int), np.zeros(0, int)
    return np.concatenate(first), np.concatenate(second)


def footprint_share(a: Boxes, b: Boxes) -> np.ndarray:
    """(P,) share of each footprint of a that lies over the footprint of b in the same row; 5 x 5 points decide."""
    points = _plan_points(a, np.stack(np.meshgrid(_STEPS, _STEPS), -1).reshape(-1, 2))
    share: np.ndarray = (_outside(points, b).max(axis=2) <= 1e-9).mean(axis=1)
    return share


def plan_gap_m(a: Boxes, b: Boxes) -> np.ndarray:
    """(P,) horizontal distance between the footprints of each row; 0 where they overlap."""
    gap = np.minimum(_corner_gap(a, b), _corner_gap(b, a))
    apart = _separated(a, b) | _separated(b, a)
    return np.where(apart, gap, 0.0)


def height_gap_m(a: Boxes, b: Boxes) -> np.ndarray:
    """(P,) vertical distance between the height ranges; 0 where they overlap."""
    return np.maximum(np.maximum(a.low_m - b.high_m, b.low_m - a.high_m), 0)


def height_share(a: Boxes, b: Boxes) -> np.ndarray:
    """(P,) share of the height range of a inside that of b."""
    common = np.minimum(a.high_m, b.high_m) - np.maximum(a.low_m, b.low_m)
    return np.clip(common / np.maximum(a.size_m[:, 2], 1e-9), 0, 1)


def inside_plan(points_m: np.ndarray, center_m: np.ndarray, size_m: np.ndarray, yaw_rad: float) -> np.ndarray:
    """(N,) bool: which points (N, 2 or 3) lie over one footprint."""
    box = Boxes(np.resize(center_m, (1, 3)), np.resize(size_m, (1, 3)), np.array([yaw_rad]))
    inside: np.ndarray = _outside(points_m[None, :, :2], box)[0].max(axis=1) <= 0
    return inside


def _plan_points(boxes: Boxes, unit: np.ndarray) -> np.ndarray:
    """(P, M, 2) world points of unit offsets (M, 2) in each footprint."""
    local = unit[None] * boxes.size_m[:, None, :2]
    c, s = np.cos(boxes.yaw_rad)[:, None], np.sin(boxes.yaw_rad)[:, None]
    x, y = local[..., 0], local[..., 1]
    return np.stack([c * x - s * y, s * x + c * y], -1) + boxes.center_m[:, None, :2]


def _outside(points: np.ndarray, boxes: Boxes) -> np.ndarray:
    """(P, M, 2) signed distance of points (P, M, 2) beyond the sides of each row's footprint; <= 0 inside."""
    offset = points - boxes.center_m[:, None, :2]
    c, s = np.cos(boxes.yaw_rad)[:, None], np.sin(boxes.yaw_rad)[:, None]
    x, y = offset[..., 0], offset[..., 1]
    local = np.stack([c * x + s * y, c * y - s * x], -1)
    beyond: np.ndarray = np.abs(local) - boxes.size_m[:, None, :2] / 2
    return beyond


def _corner_gap(a: Boxes, b: Boxes) -> np.ndarray:
    beyond = np.maximum(_outside(_plan_points(a, _CORNERS), b), 0)
    return np.asarray(np.hypot(beyond[..., 0], beyond[..., 1]).min(axis=1))


def _separated(a: Boxes, b: Boxes) -> np.ndarray:
    """(P,) whether a side of b parts it from a (separating axis)."""
    offset = _plan_points(a, _CORNERS) - b.center_m[:, None, :2]
    c, s = np.cos(b.yaw_rad)[:, None], np.sin(b.yaw_rad)[:, None]
    local = np.stack([c * offset[..., 0] + s * offset[..., 1], c * offset[..., 1] - s * offset[..., 0]], -1)
    half = b.size_m[:, :2] / 2
    return np.asarray(((local.min(axis=1) > half) | (local.max(axis=1) < -half)).any(axis=1))
