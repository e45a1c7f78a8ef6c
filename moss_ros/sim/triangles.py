"""A scene as flat arrays for the renderer: finely split triangles, shading points and textures.

T triangles; S shading points (a corner position with one normal direction, shared by its triangles).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from moss_ros.sim.mesh import Mesh
from moss_ros.sim.scene import FLOOR_ID, WALL_ID, Material, Scene
from moss_ros.sim.shading import smooth_normals

CREASE_COS = 0.76  # corners sharper than about 40 degrees stay sharp
MIP_LEVELS = 8


@dataclass(frozen=True, slots=True)
class Textures:
    """All textures with their halved copies in one flat array."""

    texels: np.ndarray  # (P, 3) uint8 sRGB
    level_start: np.ndarray  # (X, MIP_LEVELS) int64
    level_size: np.ndarray  # (X, MIP_LEVELS, 2) int64 height, width
    gloss: np.ndarray  # (X,) float32
    glow: np.ndarray  # (X,) float32


@dataclass(frozen=True, slots=True)
class Triangles:
    """Everything that a ray can hit."""

    corners_m: np.ndarray  # (T, 3, 3) float32, map
    uv: np.ndarray  # (T, 3, 2) float32
    texture: np.ndarray  # (T,) int32
    instance: np.ndarray  # (T,) int32
    density: np.ndarray  # (T,) float32 texels per metre
    point: np.ndarray  # (T, 3) int32 shading point of each corner
    point_m: np.ndarray  # (S, 3) float32, pulled a little into its triangle
    point_normal: np.ndarray  # (S, 3) float32
    textures: Textures

    @property
    def face_normals(self) -> np.ndarray:
        """(T, 3) float32 unit normals."""
        n = np.cross(self.corners_m[:, 1] - self.corners_m[:, 0], self.corners_m[:, 2] - self.corners_m[:, 0])
        return n / np.maximum(np.linalg.norm(n, axis=1, keepdims=True), 1e-20)


def split_long(mesh: Mesh, longest_m: float) -> Mesh:
    """Triangles halved at their longest edge until no edge is longer; slivers may stay four times as long."""
    corners, uv = mesh.corners_m, mesh.uv
    for _ in range(20):
        edges = np.linalg.norm(corners - np.roll(corners, -1, 1), axis=2)
        longest = edges.max(1)
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
        wide = (longest > longest_m) & (area > 0.2 * longest_m**2)
        big = np.flatnonzero(wide | (longest > 4 * longest_m))
        if not len(big):
            break
        turn = (edges[big].argmax(1)[:, None] + np.arange(3)) % 3
        p, q = corners[big[:, None], turn], uv[big[:, None], turn]
        pm, qm = (p[:, :1] + p[:, 1:2]) / 2, (q[:, :1] + q[:, 1:2]) / 2
        rest = np.ones(len(corners), bool)
        rest[big] = False
        halves = [np.concatenate([a[:, :1], am, a[:, 2:]], 1) for a, am in ((p, pm), (q, qm))]
        others = [np.concatenate([am, a[:, 1:]], 1) for a, am in ((p, pm), (q, qm))]
        corners = np.concatenate([corners[rest], halves[0], others[0]])
        uv = np.concatenate([uv[rest], halves[1], others[1]])
    return Mesh(corners, uv)


def _shading_points(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(T, 3) point ids, (S, 3) places, (S, 3) smooth normals of one part."""
    n = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    double_area = np.linalg.norm(n, axis=1, keepdims=True)
    face = np.repeat(n / np.maximum(double_area, 1e-20), 3, 0)
    flat = corners.reshape(-1, 3)
    grid = np.round((flat - flat.min(0)) * 4000).astype(np.int64)
    _, place = np.unique((grid[:, 0] << 42) | (grid[:, 1] << 21) | grid[:, 2], return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(place))])
    smooth = smooth_normals(order, starts, face, np.repeat(double_area[:, 0], 3), CREASE_COS)
    bucket = np.round(smooth * 5).astype(np.int64) + 5
    key = place * 1331 + (bucket[:, 0] * 11 + bucket[:, 1]) * 11 + bucket[:, 2]
    _, first, point = np.unique(key, return_index=True, return_inverse=True)
    middle = np.repeat(corners.mean(1), 3, 0)
    return (
        point.reshape(-1, 3),
        flat[first] * 0.95 + middle[first] * 0.05 + smooth[first] * 0.002,
        smooth[first],
    )


def _pieces(scene: Scene) -> Iterator[tuple[int, float, Material, Mesh]]:
    """Instance id, longest edge, material and mesh in map of every part.

    Shadows on large flat things need small triangles; small things have few long edges anyway.
    """
    for i, parts in scene.structure.items():
        for p in parts:
            yield i, {FLOOR_ID: 0.06, WALL_ID: 0.11}.get(i, 0.3), p.material, p.mesh
    for q in scene.placed:
        for p in q.thing.parts:
            yield q.id, 0.055, p.material, q.world_mesh(p)


def build(scene: Scene) -> Triangles:
    """Flat arrays of all parts of a scene."""
    materials: dict[int, int] = {}
    listed: list[Material] = []
    columns: list[tuple[np.ndarray, ...]] = []
    start = 0
    for instance, limit_m, material, mesh in _pieces(scene):
        if id(material) not in materials:
            materials[id(material)] = len(listed)
            listed.append(material)
        fine = split_long(mesh, limit_m)
        point, place, normal = _shading_points(fine.corners_m)
        count = len(fine.corners_m)
        columns.append(
            (
                fine.corners_m,
                fine.uv,
                np.full(count, materials[id(material)]),
                np.full(count, instance),
                point + start,
                place,
                normal,
            )
        )
        start += len(place)
    corners, uv, texture, instances, point, place, normal = (np.concatenate(c) for c in zip(*columns, strict=True))
    textures = _pack(listed)
    size = textures.level_size[texture, 0]
    return Triangles(
        corners.astype(np.float32),
        uv.astype(np.float32),
        texture.astype(np.int32),
        instances.astype(np.int32),
        _density(corners, uv, size),
        point.astype(np.int32),
        place.astype(np.float32),
        normal.astype(np.float32),
        textures,
    )


def _density(corners: np.ndarray, uv: np.ndarray, size: np.ndarray) -> np.ndarray:
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    a, b = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    texels = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) * size[:, 0] * size[:, 1]
    return np.sqrt(texels / np.maximum(area, 1e-12)).astype(np.float32)


def _pack(materials: list[Material]) -> Textures:
    starts = np.zeros((len(materials), MIP_LEVELS), np.int64)
    sizes = np.ones((len(materials), MIP_LEVELS, 2), np.int64)
    pieces, at = [], 0
    for row, material in enumerate(materials):
        level = material.texture.astype(np.float32)
        for k in range(MIP_LEVELS):
            starts[row, k], sizes[row, k] = at, level.shape[:2]
            pieces.append(np.round(level).astype(np.uint8).reshape(-1, 3))
            at += level.shape[0] * level.shape[1]
            if min(level.shape[:2]) >= 4:
                h, w = level.shape[0] // 2 * 2, level.shape[1] // 2 * 2
                level = level[:h, :w].reshape(h // 2, 2, w // 2, 2, 3).mean((1, 3))
    return Textures(
        np.concatenate(pieces),
        starts,
        sizes,
        np.array([m.gloss for m in materials], np.float32),
        np.array([m.glow for m in materials], np.float32),
    )
