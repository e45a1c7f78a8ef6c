"""Parts of space that a question is limited to: sphere, box, floor polygon."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from moss_ros.questions.box_pairs import Boxes

_STEPS = np.array([-1 / 3, 0, 1 / 3])


class RegionError(ValueError):
    """A region that holds nothing or is not finite; the message names the fix."""


class RegionKind(IntEnum):
    """Values equal the constants of moss_msgs/Region."""

    EVERYWHERE = 0
    SPHERE = 1
    BOX = 2
    POLYGON = 3


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the map frame; make it with the functions below."""

    kind: RegionKind = RegionKind.EVERYWHERE
    center_m: np.ndarray = field(default_factory=lambda: np.zeros(3))
    radius_m: float = 0.0  # sphere
    size_m: np.ndarray = field(default_factory=lambda: np.zeros(3))  # box, full extents
    world_from_box: np.ndarray = field(default_factory=lambda: np.eye(3))  # (3, 3) rotation
    corners_m: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))  # polygon

    @property
    def is_plan(self) -> bool:
        """Whether it has any height."""
        return self.kind is RegionKind.POLYGON

    def bounds_m(self) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest corner (3,); infinite where there is no bound."""
        if self.kind is RegionKind.SPHERE:
            return self.center_m - self.radius_m, self.center_m + self.radius_m
        if self.kind is RegionKind.BOX:
            half = np.abs(self.world_from_box) @ (self.size_m / 2)
            return self.center_m - half, self.center_m + half
        if self.kind is RegionKind.POLYGON:
            return np.append(self.corners_m.min(0), -np.inf), np.append(self.corners_m.max(0), np.inf)
        return np.full(3, -np.inf), np.full(3, np.inf)

    def contains(self, points_m: np.ndarray) -> np.ndarray:
        """(N,) bool for points (N, 3); the border belongs to the region."""
        points = np.asarray(points_m, float)
        if self.kind is RegionKind.SPHERE:
            return np.asarray(np.linalg.norm(points - self.center_m, axis=1) <= self.radius_m)
        if self.kind is RegionKind.BOX:
            local = (points - self.center_m) @ self.world_from_box
            return np.asarray((np.abs(local) <= self.size_m / 2).all(axis=1))
        if self.kind is RegionKind.POLYGON:
            return _in_polygon(points[:, :2], self.corners_m)
        return np.ones(len(points), bool)

    def holds(self, boxes: Boxes, centroid_m: np.ndarray) -> np.ndarray:
        """(K,) bool: the centroid (K, 3), or at least half of the box, lies inside."""
        inside = self.contains(centroid_m)
        if self.kind is RegionKind.EVERYWHERE:
            return inside
        low, high = self.bounds_m()
        reach = np.linalg.norm(boxes.size_m, axis=1)[:, None] / 2
        near = ((boxes.center_m + reach >= low) & (boxes.center_m - reach <= high)).all(axis=1)
        rows = np.flatnonzero(near & ~inside)
        if len(rows):
            inside[rows] = self._box_share(boxes.take(rows)) >= 0.5
        return inside

    def _box_share(self, boxes: Boxes) -> np.ndarray:
        unit = np.stack(np.meshgrid(_STEPS, _STEPS, _STEPS), -1).reshape(-1, 3)
        local = unit[None] * boxes.size_m[:, None]
        c, s = np.cos(boxes.yaw_rad)[:, None], np.sin(boxes.yaw_rad)[:, None]
        x, y = local[..., 0], local[..., 1]
        points = np.stack([c * x - s * y, s * x + c * y, local[..., 2]], -1) + boxes.center_m[:, None]
        share: np.ndarray = self.contains(points.reshape(-1, 3)).reshape(len(boxes), -1).mean(axis=1)
        return share


EVERYWHERE = Region()


def sphere(center_m: np.ndarray, radius_m: float) -> Region:
    """Raises RegionError unless the radius is positive."""
    if not radius_m > 0:
        raise RegionError(f"the radius of a sphere must be positive, got {radius_m} m")
    return Region(RegionKind.SPHERE, _finite(center_m, "centre"), radius_m=float(_finite([radius_m], "radius")[0]))


def box(center_m: np.ndarray, size_m: np.ndarray, world_from_box: np.ndarray | None = None) -> Region:
    """size_m: full extents (3,); world_from_box: rotation (3, 3). Raises RegionError unless extents are positive."""
    size = _finite(size_m, "size")
    if not (size > 0).all():
        raise RegionError(f"the three extents of a box must be positive, got {size.tolist()} m")
    turn = np.eye(3) if world_from_box is None else np.asarray(world_from_box, float)
    if not (np.isfinite(turn).all() and np.allclose(turn @ turn.T, np.eye(3), atol=1e-3)):
        raise RegionError("the orientation of a box must be a unit quaternion, e.g. w = 1")
    return Region(RegionKind.BOX, _finite(center_m, "centre"), size_m=size, world_from_box=turn)


def polygon(corners_m: np.ndarray) -> Region:
    """A floor polygon of any height from corners (N, 2 or 3) in order. Raises RegionError when it has no area."""
    corners = np.array(corners_m, float)
    if corners.ndim != 2 or len(corners) < 3:
        raise RegionError(f"a floor polygon needs at least three corners, got {len(corners)}")
    corners = _finite(corners[:, :2], "corners")
    x, y = corners.T
    if abs(float(x @ np.roll(y, 1) - y @ np.roll(x, 1))) < 1e-6:
        raise RegionError("the corners of the floor polygon enclose no area; give them in order around it")
    return Region(RegionKind.POLYGON, corners_m=corners)


def _finite(values: object, name: str) -> np.ndarray:
    array = np.array(values, float)
    if not np.isfinite(array).all():
        raise RegionError(f"the {name} of a region must be finite, got {array.tolist()}")
    return array


def _in_polygon(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Even-odd rule, the border counts as inside."""
    inside = np.zeros(len(points), bool)
    on_border = np.zeros(len(points), bool)
    x, y = points.T
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crosses = (ay > y) != (by > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crosses & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
        t = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / max((bx - ax) ** 2 + (by - ay) ** 2, 1e-12), 0, 1)
        on_border |= np.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)) < 1e-9
    return inside | on_border
