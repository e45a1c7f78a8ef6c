"""Triangle meshes as plain arrays, and the primitives that things are built from.

T triangles. Lengths in metres, in the frame of the thing (z up). Triangles face outwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Vector = Sequence[float] | np.ndarray
Path3 = Sequence[Sequence[float] | np.ndarray] | np.ndarray  # points (N, 3)


@dataclass(frozen=True, slots=True)
class Mesh:
    """Triangles that share nothing: corners and texture coordinates (in repeats of the texture)."""

    corners_m: np.ndarray  # (T, 3, 3) float64
    uv: np.ndarray  # (T, 3, 2) float64

    @property
    def lo_m(self) -> np.ndarray:
        """(3,) lower corner of the bounding box."""
        return self.corners_m.reshape(-1, 3).min(0)

    @property
    def hi_m(self) -> np.ndarray:
        """(3,) upper corner of the bounding box."""
        return self.corners_m.reshape(-1, 3).max(0)

    def moved(self, x_m: float = 0.0, y_m: float = 0.0, z_m: float = 0.0, yaw_rad: float = 0.0) -> Mesh:
        """Turned about z, then shifted."""
        turned = self.turned(2, yaw_rad) if yaw_rad else self
        return Mesh(turned.corners_m + np.array([x_m, y_m, z_m]), self.uv)

    def turned(self, axis: int, angle_rad: float) -> Mesh:
        """Turned about a coordinate axis (0 x, 1 y, 2 z) through the origin."""
        return Mesh(self.corners_m @ axis_rotation(axis, angle_rad).T, self.uv)

    def scaled(self, x: float, y: float, z: float) -> Mesh:
        """Stretched along the axes; factors are positive."""
        return Mesh(self.corners_m * np.array([x, y, z]), self.uv)

    def flipped(self) -> Mesh:
        """Facing the other way."""
        return Mesh(self.corners_m[:, ::-1], self.uv[:, ::-1])


def axis_rotation(axis: int, angle_rad: float) -> np.ndarray:
    """3x3 rotation about a coordinate axis."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    j, k = (axis + 1) % 3, (axis + 2) % 3
    out = np.eye(3)
    out[j, j], out[j, k], out[k, j], out[k, k] = c, -s, s, c
    return out


def join(meshes: Sequence[Mesh]) -> Mesh:
    """All triangles of several meshes."""
    return Mesh(np.concatenate([m.corners_m for m in meshes]), np.concatenate([m.uv for m in meshes]))


def signed_volume_m3(mesh: Mesh) -> float:
    """Volume of a closed mesh; positive when its triangles face outwards."""
    a, b, c = mesh.corners_m[:, 0], mesh.corners_m[:, 1], mesh.corners_m[:, 2]
    return float((a * np.cross(b, c)).sum() / 6)


def surface(points_m: np.ndarray, uv: np.ndarray) -> Mesh:
    """Sheet over a grid of points (H, W, 3) with texture coordinates (H, W, 2); faces rows x columns."""

    def triangles(grid: np.ndarray) -> np.ndarray:
        a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]
        first, second = np.stack([a, d, c], 2), np.stack([a, c, b], 2)
        return np.concatenate([first.reshape(-1, 3, grid.shape[2]), second.reshape(-1, 3, grid.shape[2])])

    corners = triangles(np.asarray(points_m, float))
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    return Mesh(corners[area > 1e-12], triangles(np.asarray(uv, float))[area > 1e-12])


def quad(
    origin_m: Vector,
    along_m: Vector,
    up_m: Vector,
    repeats: tuple[float, float] = (1.0, 1.0),
) -> Mesh:
    """Parallelogram that faces along x up; the texture stands upright along `up`."""
    o, a, b = (np.asarray(v, float) for v in (origin_m, along_m, up_m))
    corners = np.array([[o, o + a, o + a + b], [o, o + a + b, o + b]])
    u, v = repeats
    return Mesh(corners, np.array([[[0, 0], [u, 0], [u, v]], [[0, 0], [u, v], [0, v]]], float))


def box(lo_m: Vector, hi_m: Vector, repeats_per_m: float = 1.0, fit: bool = False) -> Mesh:
    """Axis-aligned box; the texture repeats with length, or fits each face once when fit is true."""
    lo, hi = np.asarray(lo_m, float), np.asarray(hi_m, float)
    x, y, z = np.diag(hi - lo)
    faces = (
        (lo, x, z),
        (lo + x, y, z),
        (lo + x + y, -x, z),
        (lo + y, -y, z),
        (lo + z, x, y),
        (lo + y, x, -y),
    )
    out = []
    for origin, along, up in faces:
        size = float(np.linalg.norm(along)), float(np.linalg.norm(up))
        face = quad(origin, along, up, (1.0, 1.0) if fit else (size[0] * repeats_per_m, size[1] * repeats_per_m))
        # Grain runs along the longer side.
        out.append(Mesh(face.corners_m, face.uv[..., ::-1].copy()) if not fit and size[1] > size[0] else face)
    return join(out)


def slab(size_m: Vector, at_m: Vector = (0, 0, 0), repeats_per_m: float = 1.0) -> Mesh:
    """Box of a size, centred in x and y at a place, its bottom at the place's z."""
    (sx, sy, sz), (x, y, z) = size_m, at_m
    return box((x - sx / 2, y - sy / 2, z), (x + sx / 2, y + sy / 2, z + sz), repeats_per_m)


def rounded_box(size_m: Vector, radius_m: float | Vector, steps: int = 3, repeats_per_m: float = 2.0) -> Mesh:
    """Box with round edges, centred at the origin; radii up to half the size (then an ellipsoid)."""
    half = np.asarray(size_m, float) / 2
    radius = np.minimum(np.broadcast_to(np.asarray(radius_m, float), (3,)), half)
    bend = np.tan(np.linspace(0, np.pi / 4, steps + 1))
    line = np.concatenate([-bend[::-1], bend])
    sign = np.concatenate([-np.ones(steps + 1), np.ones(steps + 1)])
    a, b = np.meshgrid(line, line, indexing="ij")
    sa, sb = np.meshgrid(sign, sign, indexing="ij")
    faces = []
    for axis in range(3):
        j, k = (axis + 1) % 3, (axis + 2) % 3
        for side in (-1.0, 1.0):
            q, s = np.empty((*a.shape, 3)), np.empty((*a.shape, 3))
            q[..., axis], q[..., j], q[..., k] = side, a, b
            s[..., axis], s[..., j], s[..., k] = side, sa, sb
            q /= np.linalg.norm(q, axis=-1, keepdims=True)
            p = q * radius + s * (half - radius)
            sheet = surface(p, np.stack([p[..., j], p[..., k]], -1) * repeats_per_m)
            faces.append(sheet if side > 0 else sheet.flipped())
    return join(faces)


def ball(radius_m: float, steps: int = 24) -> Mesh:
    """Sphere that stands on z = 0; its texture wraps once around."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, steps)
    return lathe([(radius_m * np.cos(t), radius_m * np.sin(t) + radius_m) for t in angle], 2 * steps)


def lathe(profile_m: Sequence[tuple[float, float]], sides: int = 28) -> Mesh:
    """Surface of revolution about z of a profile of (radius, z), given with the outside on its right hand.

    A profile that goes from the axis up along the outside and back to the axis is closed.
    """
    profile = np.asarray(profile_m, float)
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    points = np.stack(
        [
            profile[:, :1] * np.cos(angle),
            profile[:, :1] * np.sin(angle),
            np.repeat(profile[:, 1:], sides + 1, 1),
        ],
        -1,
    )
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
    v = np.repeat((length / max(length[-1], 1e-9))[:, None], sides + 1, 1)
    u = np.repeat((angle / (2 * np.pi))[None], len(profile), 0)
    return surface(points, np.stack([u, v], -1)).flipped()


def cylinder(radius_m: float, height_m: float, sides: int = 28, z_m: float = 0.0) -> Mesh:
    """Closed upright cylinder."""
    return lathe([(0, z_m), (radius_m, z_m), (radius_m, z_m + height_m), (0, z_m + height_m)], sides)


def tube(path_m: Path3, radius_m: float | Vector, sides: int = 10) -> Mesh:
    """Round tube along a path (N, 3), closed at its ends; one radius or one for each point."""
    path = np.asarray(path_m, float)
    radius = np.broadcast_to(np.asarray(radius_m, float), (len(path),))
    tangent = np.gradient(path, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    # Carrying one side vector along keeps the tube from twisting.
    side = np.cross(tangent[0], [0.31, 0.52, 0.80])
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    rings = []
    for i in range(len(path)):
        side = side - tangent[i] * (side @ tangent[i])
        side /= np.linalg.norm(side)
        other = np.cross(tangent[i], side)
        rings.append(path[i] + radius[i] * (np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * other))
    ends = np.repeat(path[[0, -1]][:, None], sides + 1, 1)
    points = np.concatenate([ends[:1], np.array(rings), ends[1:]])
    u, v = np.meshgrid(angle / (2 * np.pi), np.linspace(0, 1, len(points)))
    return surface(points, np.stack([u, v], -1)).flipped()


def heightfield(height_m: np.ndarray, size_m: tuple[float, float], repeats_per_m: float = 3.0) -> Mesh:
    """Closed heap over z = 0: heights (H, W) on a rectangle centred at the origin (rows along x)."""
    x, y = np.meshgrid(
        np.linspace(-0.5, 0.5, height_m.shape[0]) * size_m[0],
        np.linspace(-0.5, 0.5, height_m.shape[1]) * size_m[1],
        indexing="ij",
    )
    padded = np.pad(np.dstack([x, y, np.maximum(height_m, 1e-4)]), ((1, 1), (1, 1), (0, 0)), mode="edge")
    padded[[0, -1], :, 2] = 0
    padded[:, [0, -1], 2] = 0
    top = surface(padded, padded[..., :2] * repeats_per_m)
    flat = padded.copy()
    flat[..., 2] = 0
    return join([top, surface(flat, padded[..., :2] * repeats_per_m).flipped()])
