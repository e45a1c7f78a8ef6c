"""A simulated home as flat arrays that are cheap to draw: no fine triangles, no baked light; some things altered.

T triangles, X materials.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from moss_ros.sim.mesh import Mesh
from moss_ros.sim.palette import COLORS
from moss_ros.sim.scene import CEILING_ID, FLOOR_ID, WALL_ID, Material, Placed, Scene
from moss_ros.sim.shading import smooth_normals

CREASE_COS = 0.76  # corners sharper than about 40 degrees stay sharp
LEVELS = 6  # each texture with its halved copies
ALTERED = 0.3  # share of the things with a tint and proportions of their own
STRUCTURE = {FLOOR_ID: "floor", WALL_ID: "wall", CEILING_ID: "ceiling"}


@dataclass(frozen=True, slots=True)
class ThingFacts:
    """What is known of an instance in a picture."""

    id: int
    category: str
    color: str  # a name of the palette, or empty where unknown or none
    material: str
    text: str


@dataclass(frozen=True, slots=True)
class HomeModel:
    """Everything that a ray can hit."""

    corners_m: np.ndarray  # (T, 3, 3) float32, map
    normal: np.ndarray  # (T, 3, 3) float32 smooth unit normals of the corners
    uv: np.ndarray  # (T, 3, 2) float32
    density: np.ndarray  # (T,) float32 texels per metre
    material: np.ndarray  # (T,) int32
    instance: np.ndarray  # (T,) uint8
    texels: np.ndarray  # (P, 3) uint8
    start: np.ndarray  # (X, LEVELS) int64
    size: np.ndarray  # (X, LEVELS, 2) int64
    gloss: np.ndarray  # (X,) float32
    glow: np.ndarray  # (X,) float32
    facts: tuple[ThingFacts, ...]


def build_model(scene: Scene, rng: np.random.Generator) -> HomeModel:
    """Flat arrays of a scene; things that carry nothing may be tinted and stretched."""
    rows: dict[int, int] = {}
    materials: list[Material] = []
    pieces: list[tuple[np.ndarray, ...]] = []
    facts = [ThingFacts(i, name, "", "", "") for i, name in STRUCTURE.items()]
    for instance, parts, fact in _things(scene, rng):
        if fact is not None:
            facts.append(fact)
        for mesh, material in parts:
            row = rows.setdefault(id(material), len(materials))
            if row == len(materials):
                materials.append(material)
            count = len(mesh.corners_m)
            pieces.append(
                (
                    mesh.corners_m.astype(np.float32),
                    corner_normals(mesh.corners_m),
                    mesh.uv.astype(np.float32),
                    np.full(count, row, np.int32),
                    np.full(count, instance, np.uint8),
                )
            )
    corners, normal, uv, material_row, instances = (np.concatenate(c) for c in zip(*pieces, strict=True))
    texels, start, size = _pack([m.texture for m in materials])
    return HomeModel(
        corners, normal, uv, _density(corners, uv, size[material_row, 0]), material_row, instances,
        texels, start, size,
        np.array([m.gloss for m in materials], np.float32),
        np.array([m.glow for m in materials], np.float32),
        tuple(facts),
    )  # fmt: skip


def _things(
    scene: Scene, rng: np.random.Generator
) -> Iterator[tuple[int, list[tuple[Mesh, Material]], ThingFacts | None]]:
    for i, parts in scene.structure.items():
        yield i, [(p.mesh, p.material) for p in parts], None
    carriers = {p.support_id for p in scene.placed}
    kept: list[Material] = []  # a new material must live as long as its id is a key
    for placed in scene.placed:
        changed = placed.id not in carriers and rng.random() < ALTERED
        yield placed.id, (_altered if changed else _plain)(placed, rng, kept), _facts_of(placed, changed)


def _facts_of(placed: Placed, altered: bool) -> ThingFacts:
    thing = placed.thing
    color = thing.color if thing.color in COLORS and not altered else ""
    return ThingFacts(placed.id, thing.category, color, thing.material, thing.text)


def _plain(placed: Placed, rng: np.random.Generator, kept: list[Material]) -> list[tuple[Mesh, Material]]:
    return [(placed.world_mesh(p), p.material) for p in placed.thing.parts]


def _altered(placed: Placed, rng: np.random.Generator, kept: list[Material]) -> list[tuple[Mesh, Material]]:
    """Another tint and other proportions; its colour has no name then."""
    stretch = rng.uniform(0.8, 1.25, 3)
    turn = rng.permutation(3) if rng.random() < 0.6 else np.arange(3)
    tint = rng.uniform(0.35, 1.25, 3)
    new: dict[int, Material] = {}
    x, y, z = placed.position_m
    out = []
    for part in placed.thing.parts:
        old = part.material
        if id(old) not in new:
            texture = np.clip(old.texture[..., turn] * tint, 0, 255).astype(np.uint8)
            new[id(old)] = Material(texture, old.gloss, old.glow)
            kept.append(new[id(old)])
        mesh = part.mesh.scaled(*stretch).moved(x, y, z, placed.yaw_rad)
        out.append((mesh, new[id(old)]))
    return out


def corner_normals(corners_m: np.ndarray) -> np.ndarray:
    """(T, 3, 3) float32 unit normals of the corners of one part, smooth across blunt edges."""
    n = np.cross(corners_m[:, 1] - corners_m[:, 0], corners_m[:, 2] - corners_m[:, 0])
    double_area = np.linalg.norm(n, axis=1, keepdims=True)
    face = np.repeat(n / np.maximum(double_area, 1e-20), 3, 0)
    flat = corners_m.reshape(-1, 3)
    grid = np.round((flat - flat.min(0)) * 4000).astype(np.int64)
    _, place = np.unique((grid[:, 0] << 42) | (grid[:, 1] << 21) | grid[:, 2], return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(np.bincount(place))])
    weight = np.repeat(double_area[:, 0], 3)
    smooth = smooth_normals(np.argsort(place, kind="stable"), starts, face, weight, CREASE_COS)
    return smooth.reshape(-1, 3, 3).astype(np.float32)


def _pack(textures: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    start = np.zeros((len(textures), LEVELS), np.int64)
    size = np.ones((len(textures), LEVELS, 2), np.int64)
    pieces, at = [], 0
    for row, texture in enumerate(textures):
        level = texture.astype(np.float32)
        for k in range(LEVELS):
            start[row, k], size[row, k] = at, level.shape[:2]
            pieces.append(np.round(level).astype(np.uint8).reshape(-1, 3))
            at += len(pieces[-1])
            if min(level.shape[:2]) >= 4:
                h, w = level.shape[0] // 2, level.shape[1] // 2
                level = level[: 2 * h, : 2 * w].reshape(h, 2, w, 2, 3).mean((1, 3))
    return np.concatenate(pieces), start, size


def _density(corners_m: np.ndarray, uv: np.ndarray, size: np.ndarray) -> np.ndarray:
    area = np.linalg.norm(
        np.cross(corners_m[:, 1] - corners_m[:, 0], corners_m[:, 2] - corners_m[:, 0]).astype(np.float64), axis=1
    )
    a, b = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    texels = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) * size[:, 0] * size[:, 1]
    return np.sqrt(texels / np.maximum(area, 1e-12)).astype(np.float32)
